/** `agov status` as people and agents use it. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../src/kernel/index.ts';
import { must, type TestProject, testProject } from '../support/cli.ts';

let project: TestProject;
beforeAll(async () => {
  project = await testProject({ builder: 'T1', scout: 'T0' });
  for (const path of ['services/api', 'services/web', 'lib']) mkdirSync(join(project.root, path), { recursive: true });
});
afterAll(() => project[Symbol.dispose]());

const text = (path: string): string => readFileSync(join(project.root, path, 'STATUS.md'), 'utf8');
const json = async (...argv: string[]) => JSON.parse((await project.agov('status', ...argv, '--json')).stdout);

it('goes from nothing to a tree with what is stuck', async () => {
  expect((await project.agov('status', 'dashboard')).stdout).toContain('No status yet');
  expect((await project.agov('status', 'sweep')).code).toBe(1);
  const mended = await must(project.agov('status', 'sweep', '--fix'));
  expect(mended.stdout).toContain('mended  missing    .');
  await must(
    project.agov('status', 'update', 'services/api', '--phase', 'in-progress', '--task', 'write', '--task', 'test'),
  );
  await must(
    project.agov('status', 'update', 'services/api', '--done', 'write', '--note', 'went well', '--owner', 'bob'),
  );
  expect(text('services/api')).toMatch(
    /^---\nphase: in-progress\nowner: bob\nupdated: \S+\ntasks:\n {2}- task: write\n {4}done: true\n {2}- test\n---\n\n# api\n\n## Notes\n\n- \S+ ada: went well\n$/,
  );
  await must(project.agov('status', 'update', 'lib', '--phase', 'complete'));
  const web = '---\nphase: review\ndepends: [lib, ../api]\n---\n';
  writeFileSync(join(project.root, 'services/web/STATUS.md'), web);
  const { stdout } = await must(project.agov('status', 'dashboard'));
  expect(stdout).toContain('services/api █████░░░░░  50% 1/2  bob');
  expect(stdout).toContain('Stuck: 1\n  services/web  waits for ../api');
  expect(await json('dashboard', 'services')).toMatchObject({ total: { done: 1, all: 3 }, phases: { review: 1 } });
  const shown = await must(project.agov('status', 'show', 'services/api'));
  expect(shown.stdout).toMatch(/2 tasks, 1 open\n {2}✓ write\n {2}· test\n\n# api/);
  expect((await project.agov('status', 'graph')).stdout).toBe('? services/web\n  → ✓ lib\n  → ▸ services/api\n');
  expect((await json('graph')).mermaid).toContain('n2["services/web<br/>review"]:::review');
});

it('shows the line of a fault, and everything else all the same', async () => {
  mkdirSync(join(project.root, 'bad'));
  writeFileSync(join(project.root, 'bad/STATUS.md'), '---\nphase: in-progess\n---\nwords\n');
  const swept = await project.agov('status', 'sweep');
  expect(swept.code).toBe(1);
  expect(swept.stdout).toContain('bad/STATUS.md:2:8');
  expect(swept.stdout).toContain('    2 | phase: in-progess\n               ^');
  expect(swept.stdout).toContain('Did you mean "in-progress"?');
  const refused = await project.agov('status', 'update', 'bad', '--phase', 'review');
  expect([refused.code, refused.stderr]).toEqual([65, expect.stringContaining('bad/STATUS.md:2:8')]);
  expect((await project.agov('status', 'dashboard')).stdout).toMatch(/^! {3}bad /m);
  expect((await json('sweep', 'lib')).findings).toEqual([]);
});

it.each([
  [['update', 'none'], 66],
  [['update', '..'], 65],
  [['update', 'out'], 65],
  [['update', 'lib', '--phase', 'done'], 64],
  [['update', 'lib', '--task', ''], 64],
  [['update', 'lib', '--task', 'a\u001b[2J'], 64],
  [['update', 'lib', '--done', 'nothing'], 66],
  [['show', 'services'], 66],
  [['dashboard', '--depth', '0'], 64],
])('refuses %j', async (argv, code) => {
  const out = join(project.root, 'out');
  try {
    symlinkSync('/tmp', out);
  } catch {
    // It is there from the last one.
  }
  expect((await project.agov('status', ...argv)).code).toBe(code);
});

describe('an agent', () => {
  it('changes a status by an intent that holds what is written', async () => {
    await must(project.agov('status', 'update', 'services/api', '--agent', 'builder', '--task', 'by an agent'));
    expect(text('services/api')).toContain('- by an agent');
    const entries = await project.entries();
    const intent = entries.findLast(({ kind }) => kind === 'intent');
    expect(intent?.body).toMatchObject({
      action: 'fs.write',
      resource: 'services/api/STATUS.md',
      args: { sha256: sha256Hex(text('services/api')) },
    });
    expect(entries.findLast(({ kind }) => kind === 'outcome')?.parent).toBe(intent?.id);
  });

  it('that may not write changes nothing, and is on record', async () => {
    const before = text('services/api');
    const denied = await project.agov('status', 'update', 'services/api', '--agent', 'scout', '--task', 'x');
    expect([denied.code, text('services/api')]).toEqual([77, before]);
    expect((await project.entries()).at(-1)).toMatchObject({ agent: 'scout' });
  });

  it('gets no further than its workspace, and to no place of the governor', async () => {
    const workspace = ['--agent', 'builder', '--workspace', 'lib'];
    for (const dir of ['services/api', 'out', '.', 'policies', '.agov']) {
      const at = dir === 'policies' || dir === '.agov' ? ['--agent', 'builder'] : workspace;
      const { code } = await project.agov('status', 'update', dir, ...at, '--task', 'x');
      expect([65, 77], dir).toContain(code);
    }
    const inside = { ...project.environment, AGOV_AGENT: 'builder', AGOV_RUN: 'x' };
    const done = await project.start(['status', 'update', 'lib', '--task', 'as ada'], { env: inside }).done;
    expect([done.code, text('lib').includes('as ada')]).toEqual([77, false]);
    const other = ['status', 'update', 'lib', '--agent', 'builder', '--task', 'as another'];
    const tried = await project.start(other, { env: { ...inside, AGOV_AGENT: 'scout' } }).done;
    expect([tried.code, text('lib').includes('as another')]).toEqual([77, false]);
  });
});

it('draws in narrow terminals, again and again, and ends by a signal', async () => {
  const running = project.start(['status', 'dashboard', '--watch', '--json']);
  await running.printed('"rows"');
  running.child.kill('SIGINT');
  expect((await running.done).code).toBe(130);
});
