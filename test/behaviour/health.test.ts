/** `agov doctor`, as an operator meets it: servers that are well, away, sealed, and one that never answers. */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemEnv } from '../../src/kernel/index.ts';
import type { ProbeResult } from '../../src/runtime/health/index.ts';
import { type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';
import { redisServer } from '../support/redis-server.ts';
import { type FakeVault, fakeVault } from '../support/vault/index.ts';
import { fakeVaultWithTransit } from '../support/vault/transit.ts';

let project: TestProject;
beforeEach(async () => {
  project = await testProject();
});
afterEach(() => project[Symbol.dispose]());

async function doctor(): Promise<{ code: number; verdict: string; probes: Record<string, ProbeResult> }> {
  const { code, stdout } = await project.agov('doctor', '--json');
  const { verdict, probes }: { verdict: string; probes: ProbeResult[] } = JSON.parse(stdout);
  return { code, verdict, probes: Object.fromEntries(probes.map((result) => [result.probe, result])) };
}

describeWith('redis-server', 'a state server', () => {
  it('is told by its kind, its round trip, its snapshots and its clock', async () => {
    await using server = await redisServer(['--maxmemory', '64mb']);
    project.environment['AGOV_STATE_URL'] = `redis://127.0.0.1:${server.port}`;
    const { probes } = await doctor();
    expect(probes['state']).toMatchObject({
      verdict: 'ok',
      figure: expect.stringMatching(/Redis \d+\.\d.* ms there and back, no snapshot since its start$/),
    });
    expect(probes['clock']?.figure).toBe('agrees with the newest entry, the state server');
    await server.admin().call('SAVE');
    expect((await doctor()).probes['state']?.figure).toMatch(/last snapshot \d s ago$/);
  });

  it('is told with fewer words where the user may not ask for more', async () => {
    await using server = await redisServer();
    await project.agov('agent', 'list');
    const instance = readFileSync(join(project.root, '.agov', 'instance'), 'utf8').trim();
    const { name, password } = await server.user(`agov:${instance}`);
    project.environment['AGOV_STATE_URL'] = `redis://${name}@127.0.0.1:${server.port}`;
    project.environment['AGOV_STATE_PASSWORD'] = password.reveal();
    expect((await doctor()).probes['state']).toMatchObject({
      verdict: 'ok',
      figure: expect.stringContaining('not told (needs +info)'),
    });
  });

  it('that is away fails its own probe, with a remedy, and no other', async () => {
    await using server = await redisServer();
    await server.kill();
    project.environment['AGOV_STATE_URL'] = `redis://127.0.0.1:${server.port}`;
    const { code, verdict, probes } = await doctor();
    expect([code, verdict]).toEqual([1, 'fail']);
    expect(probes['state']).toMatchObject({ verdict: 'fail', figure: expect.stringContaining('refuses connections') });
    expect(probes['state']?.remedy).toContain('state.url');
    expect(probes['disk']?.verdict).toBe('ok');
    expect(probes['clock']?.verdict).toBe('ok');
  });
});

it('tries the key that is in Vault, by the newest head once more, and says when it does not sign', async () => {
  await using vault = await fakeVaultWithTransit();
  const text = `secrets: { vault: { address: "${vault.address.origin}", deadline: 2s } }\nledger: { transit: {} }\n`;
  appendFileSync(join(project.root, 'agov.yaml'), text);
  project.environment['VAULT_TOKEN'] = vault.root;
  expect((await doctor()).probes['signer']).toMatchObject({
    verdict: 'ok',
    figure: expect.stringMatching(/^signs in/),
  });
  vault.fault = (path, response) => {
    if (!path.startsWith('transit/sign')) return false;
    response.writeHead(500).end('{"errors":["internal error"]}');
    return true;
  };
  expect((await doctor()).probes['signer']).toMatchObject({ verdict: 'fail' });
});

describe('Vault', () => {
  let vault: FakeVault;
  beforeEach(async () => {
    vault = await fakeVault({ env: systemEnv() });
    const text = `secrets: { vault: { address: "${vault.address.origin}", deadline: 60s } }\n`;
    appendFileSync(join(project.root, 'agov.yaml'), text);
    project.environment['VAULT_TOKEN'] = vault.root;
  });
  afterEach(() => vault[Symbol.asyncDispose]());

  it('is told by its version and its clock', async () => {
    const at = Math.floor(systemEnv().now() / 1000);
    vault.fault = (path, response) => {
      if (path !== 'sys/health') return false;
      const body = { initialized: true, sealed: false, standby: false, version: '1.20.4', server_time_utc: at - 90 };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      return true;
    };
    const { probes } = await doctor();
    expect(probes['vault']).toMatchObject({ verdict: 'ok', figure: 'active, version 1.20.4' });
    expect(probes['clock']).toMatchObject({ verdict: 'warn', figure: expect.stringContaining('ahead of Vault') });
    expect(vault.requests.find(({ path }) => path === 'sys/health')?.headers['x-vault-token']).toBeUndefined();
  });

  it('that is sealed is told as sealed, from its recorded answer', async () => {
    vault.sealed = true;
    const { code, probes } = await doctor();
    expect(code).toBe(1);
    expect(probes['vault']).toMatchObject({ verdict: 'fail', remedy: 'vault operator unseal' });
    expect(probes['vault']?.figure).toMatch(/^sealed, version \d/);
  });

  it('that throttles is told as throttling', async () => {
    vault.fault = (_path, response) => {
      response.writeHead(429, { 'retry-after': '60' }).end('{"errors":["request path: rate limit quota exceeded"]}');
      return true;
    };
    expect((await doctor()).probes['vault']).toMatchObject({ verdict: 'warn', figure: 'throttled, version unknown' });
  });

  it('that never answers costs its probes their deadline, and the command says which look is the long one', async () => {
    vault.fault = () => true;
    const began = performance.now();
    const { code, stdout, stderr } = await project.agov('doctor');
    expect(code).toBe(1);
    expect(stdout).toMatch(/fail +vault +\S+ \S+ +No answer within/);
    expect(stderr).toContain('Looking at leases');
    expect(performance.now() - began).toBeLessThan(9000);
  });
});
