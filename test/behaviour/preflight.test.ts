import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { must, type Result, type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';

let project: TestProject;
beforeEach(async () => {
  project = await testProject({ reader: 'T0', builder: 'T1', admin: 'T2' });
});
afterEach(() => project[Symbol.dispose]());

const head = 'apiVersion: agov/v1\nkind: Pipeline\nname: test\n';
/** A pipeline file that is committed, so that the tree is clean. */
const file = (stages: string, name = 'p.yaml'): string => {
  writeFileSync(join(project.root, name), `${head}${stages}`);
  project.git('add', '--all');
  project.git('commit', '--quiet', '--allow-empty', '--message', 'Write a pipeline');
  return name;
};
const config = (text: string): void => appendFileSync(join(project.root, 'agov.yaml'), text);

interface Told {
  readonly name: string;
  readonly status: string;
  readonly what: string;
  readonly fix?: string;
}
async function look(...argv: readonly string[]): Promise<{ readonly code: number; readonly checks: readonly Told[] }> {
  const { code, stdout, stderr } = await project.agov('preflight', ...argv, '--json');
  if (stdout === '') throw new Error(stderr);
  return { code, checks: JSON.parse(stdout).checks };
}
const failures = (checks: readonly Told[]): string[] =>
  checks.filter(({ status }) => status === 'failed').map(({ name, what }) => `${name}: ${what}`);
const errorOf = ({ stderr }: Result) => JSON.parse(stderr).error;
const runs = async () => (await project.entries()).filter(({ kind }) => kind === 'run');

const wrong = `stages:
  gone: { agent: builder, run: [no-such-program] }
  poor: { agent: builder, run: [echo], secrets: { KEY: dev/key } }
  above: { agent: reader, uses: fs.write, with: { path: x, content: y } }
  lost: { agent: builder, run: [echo], workspace: nowhere }
`;

describeWith('bwrap', 'agov preflight', () => {
  it('finds nothing wrong where nothing is, and starts nothing', async () => {
    await must(project.agovWith('value', 'secret', 'set', 'dev/key'));
    const name = file(`parameters: { key: { type: secret } }
stages:
  a: { agent: builder, run: [sh, -c, "true"], secrets: { KEY: "\${{ params.key }}" } }
  b: { agent: admin, needs: [a], uses: git.merge, with: { branch: main, into: main }, when: "false" }
`);
    const before = (await project.entries()).length;
    const { code, checks } = await look(name, '--param', 'key=dev/key');
    // How fast the disk is says nothing of agov.
    const wanting = checks.filter(({ name, status }) => status !== 'ok' && !['ledger', 'state', 'disk'].includes(name));
    expect([code, wanting]).toEqual([0, []]);
    const named =
      'agents policy approvals programs tools secrets workspaces plans locks budget workers ledger state sandbox disk';
    expect([...new Set(checks.map((check) => check.name))].sort()).toEqual(named.split(' ').sort());
    expect(checks.find((check) => check.name === 'tools')?.what).toMatch(/^git \d/);
    const added = (await project.entries()).slice(before).map(({ kind }) => kind);
    expect(added.filter((kind) => kind !== 'policy')).toEqual([]);
  });

  it('tells all that is wrong at once, each with what to do', async () => {
    const { code, checks } = await look(file(wrong));
    expect(code).toBe(1);
    expect(failures(checks)).toEqual([
      'policy: Stage "above" would be denied to reader (T0).',
      'programs: Stage "gone" starts "no-such-program", which is not in the sandbox.',
      'secrets: Stage "poor" asks for the secret dev/key, which is not stored.',
      `workspaces: The workspace ${join(project.root, 'nowhere')} is not there.`,
    ]);
    expect(checks.filter(({ status, fix }) => status !== 'ok' && fix === undefined)).toEqual([]);
    const { stdout } = await project.agov('preflight', 'p.yaml');
    expect(stdout).toContain('agov secret set dev/key');
    expect(stdout).toContain('4 checks failed');
  });

  it('refuses a run that would fail, and passes over it for a reason that goes on record', async () => {
    const name = file('stages: { gone: { agent: builder, run: [no-such-program] } }');
    const refused = await project.agov('pipeline', 'run', name, '--json');
    expect(refused.code).toBe(69);
    expect(errorOf(refused)).toMatchObject({ code: 'PREFLIGHT_FAILED', details: { checks: [{ name: 'programs' }] } });
    expect(await runs()).toEqual([]);

    const done = await project.agov('pipeline', 'run', name, '--skip-preflight', 'it is built meanwhile', '--json');
    expect(done.code).toBe(1);
    const [started] = await runs();
    expect(started?.body['preflight']).toEqual({
      status: 'failed',
      waived: { checks: ['programs'], reason: 'it is built meanwhile' },
    });
    const report = started?.artifacts?.find((artifact) => artifact.name === 'preflight.json')?.sha256 ?? '';
    expect(JSON.parse((await project.agov('artifact', report)).stdout).status).toBe('failed');
    expect((await project.agov('pipeline', 'run', name, '--skip-preflight', '  ')).code).toBe(64);

    config('preflight: { waivable: [disk] }\n');
    const strict = await project.agov('pipeline', 'run', name, '--skip-preflight', 'I want to', '--json');
    expect(errorOf(strict)).toMatchObject({ code: 'PREFLIGHT_FAILED', why: expect.stringContaining('waivable') });
  });

  it('asks for the disk that is set', async () => {
    config('preflight: { disk: 9000000000000000 }\n');
    const name = file('stages: { a: { agent: builder, run: [echo] } }');
    expect(failures((await look(name)).checks)).toEqual([expect.stringMatching(/^disk: \d+ MiB are free .* must be/)]);
    expect((await project.agov('pipeline', 'run', name)).code).toBe(69);
    await must(project.agov('pipeline', 'run', name, '--skip-preflight', 'it is small'));
  });

  it('looks at what is left of a run, and not at what is done', async () => {
    const name = file(`stages:
  first: { agent: reader, run: [sh, -c, "true"] }
  last: { agent: builder, needs: [first], run: [echo], gate: approval }
`);
    const { run } = JSON.parse((await project.agov('pipeline', 'run', name, '--json')).stdout);
    // The tree is dirty as stages leave it, and who has done its part may go.
    writeFileSync(join(project.root, 'left'), 'by a stage');
    await must(project.agov('kill', 'reader', '--reason', 'its part is done'));
    expect((await look(run)).checks.filter(({ status }) => status === 'failed')).toEqual([]);
    await must(project.agov('freeze', 'builder', '--reason', 'a question'));
    expect(failures((await look(run)).checks)).toEqual(['agents: Agent "builder" is frozen.']);
    const refused = await project.agov('pipeline', 'resume', run, '--yes', '--json');
    expect(errorOf(refused).code).toBe('PREFLIGHT_FAILED');
    expect((await runs()).map(({ body }) => body['step'])).toEqual(['started', 'waiting']);
    await must(project.agov('thaw', 'builder', '--reason', 'answered'));
    await must(project.agov('pipeline', 'resume', run, '--yes'));
    expect((await runs()).find(({ body }) => body['step'] === 'resumed')?.body['preflight']).toMatchObject({
      status: 'warn',
    });
    expect((await project.agov('pipeline', 'resume', run)).code).toBe(73);
  });

  it('keeps what people are at from a commit that would sweep it up, and leaves worktrees to their agents', async () => {
    await must(project.agov('git', 'worktree', '--agent', 'builder', '--branch', 'agov/builder/x'));
    const sweeping = (workspace: string) =>
      `stages: { c: { agent: builder, workspace: ${workspace}, uses: git.commit, with: { message: x } } }`;
    const [, folder = ''] = [...project.git('worktree', 'list', '--porcelain').matchAll(/^worktree (.*)$/gm)].map(
      ([, path = '']) => path,
    );
    const here = file(sweeping('.'), 'here.yaml');
    const there = file(sweeping(relative(project.root, folder)), 'there.yaml');
    const tree = (checks: readonly Told[]) => checks.find((check) => check.name === 'workspaces')?.status;
    expect([tree((await look(here)).checks), tree((await look(there)).checks)]).toEqual(['ok', 'ok']);
    writeFileSync(join(project.root, 'notes.txt'), 'mine');
    writeFileSync(join(folder, 'work.txt'), 'its own');
    expect([tree((await look(here)).checks), tree((await look(there)).checks)]).toEqual(['failed', 'warn']);
  });

  it('runs nothing of a repository that an agent has made, outside a sandbox that can write nothing', async () => {
    const trap = join(project.root, 'trap');
    mkdirSync(trap);
    project.git('init', '--quiet', 'trap');
    const evil = join(trap, 'evil.sh');
    writeFileSync(evil, `#!/bin/sh\ntouch ${project.root}/out ${trap}/out\ncat ${project.root}/.agov/instance\ncat\n`, {
      mode: 0o755,
    });
    writeFileSync(join(trap, '.gitattributes'), '* filter=x\n');
    writeFileSync(join(trap, 'a'), 'one');
    project.git('-C', 'trap', 'add', 'a');
    writeFileSync(join(trap, 'a'), 'two');
    for (const [key, value] of [
      ['filter.x.clean', evil],
      ['core.fsmonitor', evil],
      ['core.hooksPath', trap],
    ] as const) {
      project.git('-C', 'trap', 'config', key, value);
    }
    const name = 'trap.yaml';
    writeFileSync(join(project.root, name), `${head}stages: { a: { agent: builder, run: [echo], workspace: trap } }`);
    const { checks } = await look(name);
    expect(checks.find((check) => check.name === 'workspaces')).toBeDefined();
    expect([existsSync(join(project.root, 'out')), existsSync(join(trap, 'out'))]).toEqual([false, false]);
    expect(JSON.stringify(checks)).not.toContain(readFileSync(join(project.root, '.agov/instance'), 'utf8').trim());
  });

  it('tells bad input as every command does', async () => {
    const name = file('parameters: { who: {} }\nstages: { a: { agent: builder, run: [echo], needs: [b] } }');
    const faulty = await project.agov('preflight', name, '--json');
    expect([faulty.code, errorOf(faulty).code]).toEqual([1, 'PIPELINE_INVALID']);
    const missing = await project.agov(
      'preflight',
      file('parameters: { who: {} }\nstages: { a: { agent: builder, run: [echo] } }'),
    );
    expect([missing.code, missing.stderr]).toEqual([65, expect.stringContaining('--param who=VALUE')]);
    const unknown = '0199c2d4-5e6f-7a8b-9c0d-1e2f3a4b5c6d';
    expect((await project.agov('preflight', unknown)).code).toBe(66);
    expect((await project.agov('preflight', unknown, '--param', 'a=b')).code).toBe(64);
    expect((await project.agov('preflight', 'nowhere.yaml')).code).toBe(66);
  });
});
