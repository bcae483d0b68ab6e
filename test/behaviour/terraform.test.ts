import { appendFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';

let project: TestProject;
beforeAll(async () => {
  project = await testProject({ builder: 'T1', admin: 'T2', reader: 'T0' });
  const example = new URL('../../examples/terraform-change/infra', import.meta.url);
  cpSync(example, join(project.root, 'infra'), { recursive: true });
  const environments = 'terraform:\n  environments: { infra/dev: dev, infra/prod: prod }\n';
  appendFileSync(join(project.root, 'agov.yaml'), environments);
});
afterAll(() => project[Symbol.dispose]());

const plan = async (...more: string[]): Promise<string> => {
  const done = await must(
    project.agov('terraform', 'plan', '--agent', 'builder', '--dir', 'infra/dev', '--json', ...more),
  );
  return JSON.parse(done.stdout).facts.planSha256;
};
const apply = (agent: string, sha256: string, dir = 'infra/dev') =>
  project.agov('terraform', 'apply', '--agent', agent, '--dir', dir, '--plan', sha256);
const approveAll = async (): Promise<void> => {
  for (const { id } of JSON.parse((await project.agov('approvals', '--json')).stdout))
    await must(project.agov('approve', id));
};

// Whoever has Terraform has it from its maker: Debian does not, so CI may be without.
describeWith('bwrap terraform', 'governed Terraform', () => {
  it('lets a T1 agent apply exactly the plan that was approved, once', async () => {
    const [one, other] = [await plan(), await plan('--vars', '{"replicas": "4"}')];
    expect((await apply('builder', one)).code).toBe(75);
    await approveAll();
    expect((await apply('builder', other)).code).toBe(75);
    expect((await apply('builder', one)).code).toBe(0);
    expect((await apply('builder', one)).code).toBe(75);
    const entries = await project.entries();
    const intent = entries.findLast((entry) => entry.body['action'] === 'infra.apply' && entry.body['approval']);
    expect(intent?.body).toMatchObject({
      resource: 'dev',
      args: { plan: one, creates: 2, destroys: 0, environment: 'dev' },
    });
  });

  it('refuses a plan that another folder made, and records the attempt', async () => {
    const sha256 = await plan('--vars', '{"replicas": "5"}');
    const done = await apply('admin', sha256, 'infra/prod');
    expect(done.code).toBe(77);
    expect((await project.entries()).at(-1)).toMatchObject({ kind: 'violation', agent: 'admin' });
  });

  it('lets T2 apply alone what operators have consented to', async () => {
    const sha256 = await plan('--vars', '{"replicas": "6"}');
    expect((await apply('admin', sha256)).code).not.toBe(0);
    expect((await apply('builder', sha256)).code).toBe(75);
    await approveAll();
    expect((await apply('admin', sha256)).code).toBe(0);
  });

  it('denies what the tier does not have', async () => {
    const reading = await project.agov('terraform', 'plan', '--agent', 'reader', '--dir', 'infra/dev');
    const production = await project.agov('terraform', 'plan', '--agent', 'builder', '--dir', 'infra/prod');
    const destruction = await apply('admin', await plan('--destroy'));
    expect([reading.code, production.code, destruction.code]).toEqual([77, 77, 77]);
    expect(destruction.stderr).toContain('infra.destroy');
  });
});
