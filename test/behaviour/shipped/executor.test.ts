/** `agov:executor` on a real repository: a green change is one commit on its branch, and of a red one nothing stays. */
import { appendFileSync, cpSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Execution } from '../../../src/work/agents/shipped/executor/index.ts';
import { must, type Result, type TestProject, testProject } from '../../support/cli.ts';
import { write } from '../../support/git-project.ts';
import { type Answer, modelServer } from '../../support/model-server.ts';
import { describeWith } from '../../support/needs.ts';
import { someOf } from '../../support/sizes.ts';

let project: TestProject;

async function begin(): Promise<void> {
  project = await testProject();
  await must(project.agov('agent', 'add', 'smith', '--like', 'executor'));
  write(project.root, 'sum.mjs', 'export const sum = (a, b) => a - b;\n');
  write(
    project.root,
    'test.mjs',
    "import { sum } from './sum.mjs';\nif (sum(2, 3) !== 5) { console.log('sum is', sum(2, 3)); process.exit(3); }\n",
  );
  project.git('add', '--all');
  project.git('commit', '--quiet', '--message', 'Begin with a fault');
}

const patch = (from: string, to: string): string =>
  `--- a/sum.mjs\n+++ b/sum.mjs\n@@ -1 +1 @@\n-export const sum = (a, b) => ${from};\n+export const sum = (a, b) => ${to};\n`;
const mend = patch('a - b', 'a + b');
const tests = [['node', 'test.mjs']];
const token = `gh${'p_'}${'a1B2c3D4e5F6'.repeat(3)}`;

const run = (input: object, task = 'Mend the sum'): Promise<Result> =>
  project.agov('agent', 'run', 'smith', '--task', task, '--input', JSON.stringify(input), '--json');
const outputOf = ({ stdout }: Result): Execution => JSON.parse(stdout).output;
const left = () => ({
  branches: project.git('branch', '--list', 'agov/*', '--format=%(refname:short)'),
  folders: existsSync(join(project.root, '.worktrees')) ? readdirSync(join(project.root, '.worktrees')) : [],
  status: project.git('status', '--porcelain'),
});
const nothing = { branches: '', folders: [], status: '' };
const one = { ...nothing, branches: 'agov/smith/mend-the-sum' };

async function withModel(answers: readonly Answer[]) {
  const server = await modelServer(answers);
  const model = {
    provider: 'openai-compatible',
    model: 'scripted',
    baseUrl: server.url,
    maxRetries: 0,
    maxOutput: 1000,
  };
  appendFileSync(join(project.root, 'agov.yaml'), `\nmodels: { main: ${JSON.stringify(model)} }\n`);
  appendFileSync(join(project.root, 'agents/smith.yaml'), 'model: main\nparameters: { read: [sum.mjs, notes.txt] }\n');
  write(project.root, 'notes.txt', `the token is ${token}\n`);
  project.git('add', '--all');
  project.git('commit', '--quiet', '--message', 'Give it a model');
  return server;
}
const proposes = (text: string): Answer => ({ calls: [{ name: 'answer', args: { patch: text } }] });

describeWith('bwrap', 'an executor that fails', () => {
  beforeAll(begin);
  afterAll(() => project[Symbol.dispose]());

  const failures: readonly [string, object, string][] = [
    ['red tests', { patch: patch('a - b', 'a * b'), tests }, 'node test.mjs ended with 3'],
    ['a patch that does not fit', { patch: patch('a / b', 'a + b'), tests }, 'git -c safe.directory=* apply'],
    ['a patch that leads out', { patch: mend.replaceAll('sum.mjs', '../../sum.mjs') }, 'apply'],
    ['a command that fails', { commands: [['false']] }, 'false ended with 1'],
    ['a command that is not there', { commands: [['no-such-program']] }, 'no-such-program'],
    ['nothing that changes', { commands: [['true']] }, 'Nothing was changed'],
    ['no patch and no model', {}, 'there is no model'],
  ];
  it.each(someOf(failures, 3))('leaves nothing behind after %s', async (_what, input, reason) => {
    const done = await run(input);
    expect(done.code).toBe(1);
    expect(JSON.parse(done.stdout)).toMatchObject({ end: 'failed', reason: expect.stringContaining(reason) });
    expect(left()).toEqual(nothing);
  });

  it('tells what red tests printed, without their secrets', async () => {
    const script = `console.log('sum is wrong, ${token}'); process.exit(4)`;
    const { output } = JSON.parse((await run({ patch: mend, tests: [['node', '-e', script]] })).stdout);
    expect(output.tests[0]).toMatchObject({ exitCode: 4, tail: expect.stringContaining('sum is wrong, [redacted:') });
  });
});

describeWith('bwrap', 'the executor', () => {
  beforeEach(begin);
  afterEach(() => project[Symbol.dispose]());

  it('makes a tested change one commit on a branch of its own, and the same task makes it once', async () => {
    const done = outputOf(await must(run({ patch: mend, tests })));
    expect(done).toMatchObject({
      ...{ branch: 'agov/smith/mend-the-sum', repeated: false, governance: [], proposed: 0, plans: [] },
      changes: { lines: 2, files: [{ file: 'sum.mjs', added: 1, removed: 1 }] },
      tests: [{ argv: ['node', 'test.mjs'], exitCode: 0, passed: true }],
    });
    expect(project.git('show', '--stat', '--format=%an%n%P', done.commit)).toContain(`smith\n${done.from}`);
    expect(project.git('show', 'agov/smith/mend-the-sum:sum.mjs')).toContain('a + b');
    expect(project.git('show', 'main:sum.mjs')).toContain('a - b');
    expect(left()).toEqual(one);
    const again = outputOf(await must(run({ patch: mend, tests })));
    expect(again).toMatchObject({ commit: done.commit, repeated: true });
    expect(left()).toEqual(one);
  });

  it('gives tests neither its socket, nor its folder, nor a way to change what is committed', async () => {
    const script = `
      const fs = require('node:fs');
      const seen = { socket: process.env.AGOV_SOCKET ?? null, above: fs.existsSync('../../agov.yaml') };
      try { fs.writeFileSync('../../.git/hooks/post-commit', 'x'); seen.hook = true; } catch { seen.hook = false; }
      fs.writeFileSync('coverage.txt', 'made by a test');
      console.log(JSON.stringify(seen));`;
    const done = outputOf(await must(run({ patch: mend, tests: [['node', '-e', script]] })));
    expect(JSON.parse(done.tests[0]?.tail ?? '')).toEqual({ socket: null, above: false, hook: false });
    expect(done.changes.files.map(({ file }) => file)).toEqual(['sum.mjs']);
    const swap = `require('node:fs').writeFileSync('sum.mjs', 'export const sum = () => 5;')`;
    const other = await run({ patch: mend, tests: [['node', '-e', swap]], branch: 'other' });
    expect(JSON.parse(other.stdout).reason).toContain('The tests have changed the files that they test');
  });

  it('begins anew what was broken off, and leaves alone what is not its own', async () => {
    await must(project.agov('git', 'worktree', '--agent', 'smith', '--branch', 'mend-the-sum'));
    writeFileSync(join(project.root, '.worktrees/smith-mend-the-sum/half.txt'), 'half\n');
    const done = outputOf(await must(run({ patch: mend, tests })));
    expect(project.git('show', '--name-only', '--format=', done.commit)).toBe('sum.mjs');
    const other = await run({ patch: patch('a - b', 'b + a'), tests });
    expect(JSON.parse(other.stdout).reason).toContain('it holds the work of another task');
    expect(project.git('rev-parse', 'agov/smith/mend-the-sum')).toBe(done.commit);
  });

  it('says which of its files decide who may do what', async () => {
    const add = '--- /dev/null\n+++ b/policies/mine.cedar\n@@ -0,0 +1 @@\n+permit (principal, action, resource);\n';
    expect(outputOf(await must(run({ patch: add })))).toMatchObject({ governance: ['policies/mine.cedar'] });
    expect(existsSync(join(project.root, 'policies/mine.cedar'))).toBe(false);
  });

  it('has a model propose a patch, and mend it when its tests are red', async () => {
    await using server = await withModel([proposes(patch('a - b', 'a * b')), proposes(patch('a * b', 'a + b'))]);
    const done = outputOf(await must(run({ tests })));
    expect(done).toMatchObject({ proposed: 2, tests: [{ passed: true }] });
    const [first, second] = server.asked.map(({ body }) => JSON.stringify(body));
    expect(first).toContain('export const sum = (a, b) => a - b;');
    expect(first).toContain('the token is [redacted:');
    expect(JSON.stringify(server.asked.map(({ body }) => body))).not.toContain(token);
    expect(second).toContain('sum is 6');
    expect(second).toContain('export const sum = (a, b) => a * b;');
    expect(project.git('show', `${done.commit}:sum.mjs`)).toContain('a + b');
    const calls = (await project.entries()).filter(
      ({ kind, body }) => kind === 'intent' && body['action'] === 'model.call',
    );
    expect(calls).toHaveLength(2);
  });

  it('gives up after as many proposals as it may ask for, with nothing left', async () => {
    await using server = await withModel([proposes(patch('a - b', 'a * b')), proposes('no patch at all')]);
    const done = await run({ tests, attempts: 2 });
    expect(JSON.parse(done.stdout)).toMatchObject({ end: 'failed', output: { proposed: 2 } });
    expect(server.asked).toHaveLength(2);
    expect(left()).toEqual(nothing);
  });
});

describeWith('bwrap terraform', 'the executor', () => {
  beforeEach(begin);
  afterEach(() => project[Symbol.dispose]());

  it('plans the infrastructure that a change touches, by the folders that call what was changed', async () => {
    const example = new URL('../../../examples/terraform-change/infra', import.meta.url);
    cpSync(example, join(project.root, 'infra'), { recursive: true });
    appendFileSync(
      join(project.root, 'agov.yaml'),
      '\nterraform: { environments: { infra/dev: dev, infra/prod: prod } }\n',
    );
    project.git('add', '--all');
    project.git('commit', '--quiet', '--message', 'Add infrastructure');
    const done = outputOf(await must(run({ commands: [['sh', '-c', 'echo "# a note" >> infra/service/main.tf']] })));
    expect(done.plans).toEqual([
      { dir: 'infra/dev', environment: 'dev', creates: 2, changes: 0, destroys: 0, sha256: expect.any(String) },
      { dir: 'infra/prod', refused: expect.any(String) },
    ]);
    expect(left()).toEqual(one);
  });
});
