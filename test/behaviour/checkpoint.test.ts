/** `agov checkpoint` as a person, or a session that has forgotten everything, meets it. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../support/cli.ts';

let project: TestProject;
beforeEach(async () => {
  project = await testProject();
});
afterEach(() => project[Symbol.dispose]());

const json = async (...argv: string[]) => JSON.parse((await must(project.agov(...argv, '--json'))).stdout);
const checkpoint = async (...argv: string[]) => (await must(project.agov('checkpoint', ...argv))).stdout;
const taken = async (...argv: string[]): Promise<string> => (await json('checkpoint', 'now', ...argv)).about.id;
const write = (path: string, text: string | Uint8Array): void => writeFileSync(join(project.root, path), text);
const folder = (): string => join(project.root, '.agov', 'checkpoints');
const files = (): readonly string[] => readdirSync(folder()).filter((name) => name.endsWith('.jsonl'));
const secret = `ghp_${'a1B2c3D4e5F6g7H8i9J0'}${'k1L2m3N4o5P6q7R8'}`;

it('keeps files, notes and next steps, on record, readable by its owner alone, and tells them again', async () => {
  write('app.ts', 'export function parse() {\n  return 1;\n}\n');
  const id = await taken(
    '--notes',
    'the lexer works',
    '--next',
    'write the parser',
    '--next',
    'test it',
    '--tag',
    'one',
  );
  const told = await checkpoint('load', 'one');
  for (const text of [
    id.slice(-12),
    'the lexer works',
    '1. write the parser',
    '2. test it',
    'app.ts untracked +3 -0',
  ]) {
    expect(told).toContain(text);
  }
  expect(statSync(join(folder(), files()[0] ?? '')).mode & 0o777).toBe(0o600);
  const [entry] = (await project.entries()).filter(({ kind }) => kind === 'checkpoint');
  expect(entry?.body).toMatchObject({ step: 'taken', id, operator: 'ada', space: 'project', cause: 'asked' });
  expect((await json('checkpoint', 'show', id)).parts.ledger).toMatchObject({ ok: false });
  await taken();
  expect((await json('checkpoint', 'show')).parts.ledger).toMatchObject({ ok: true, value: { size: 1 } });
  expect((await json('checkpoint', 'show')).about).toMatchObject({ seq: 2, previous: id });
  await must(project.agov('ledger', 'verify'));
});

it('tells what stands now beside what the newest one knew', async () => {
  write('done.txt', 'was in flight\n');
  await taken('--next', 'commit');
  project.git('add', '--all');
  project.git('commit', '--quiet', '--message', 'Done');
  write('after.txt', 'later\n');
  const told = await checkpoint('load');
  expect(told).toContain('after.txt untracked');
  expect(told).toContain('done.txt: was in flight then, is as committed now');
  expect(await checkpoint('load', (await json('checkpoint', 'show')).about.id)).not.toContain('after.txt');
});

it('fits its budget, says what it left out, and gives the best first', async () => {
  for (let i = 0; i < 60; i++) write(`file-${i}.txt`, `${'some words of content '.repeat(30)}\n`.repeat(20));
  await taken('--notes', 'note '.repeat(2000), '--next', 'the one next step');
  for (const budget of [100, 300, 1500]) {
    const brief = await json('checkpoint', 'load', '--budget', String(budget));
    expect(brief.tokens).toBeLessThanOrEqual(budget);
    expect(brief.text).toContain('the one next step');
    expect(brief.leftOut.length).toBeGreaterThan(0);
    expect(brief.text).toContain('## Left out');
  }
  expect((await project.agov('checkpoint', 'load', '--budget', '99')).code).toBe(64);
  expect((await project.agov('checkpoint', 'load', '--budget', 'lots')).code).toBe(64);
});

it('takes secrets out of all that it keeps', async () => {
  write('.env', `TOKEN=${secret}\n`);
  const id = await taken('--notes', `use ${secret}`, '--next', `send ${secret}`);
  const everything = [folder()]
    .flatMap((one) => readdirSync(one, { recursive: true, withFileTypes: true }))
    .filter((one) => one.isFile())
    .map((one) => readFileSync(join(one.parentPath, one.name), 'utf8'))
    .join('');
  expect(everything).toContain('[redacted:');
  expect(everything).not.toContain(secret);
  for (const shown of [await checkpoint('load', id), await checkpoint('load'), await checkpoint('show', '--diff')]) {
    expect(shown).toContain('.env');
    expect(shown).not.toContain(secret);
  }
  expect(await checkpoint('restore', id)).toMatch(/without \.env: It holds a secret/);
});

it('puts files back beside the work, byte by byte, and never over anything', async () => {
  write('kept.txt', 'one\ntwo\n');
  write('gone.txt', 'to be deleted\n');
  project.git('add', '--all');
  project.git('commit', '--quiet', '--message', 'Files');
  write('kept.txt', 'one\r\nzwei\n');
  rmSync(join(project.root, 'gone.txt'));
  mkdirSync(join(project.root, 'new dir'));
  write('new dir/ünï.txt', 'new, no line end');
  write('image.bin', new Uint8Array([0, 1, 2, 255]));
  symlinkSync('kept.txt', join(project.root, 'link'));
  const id = await taken();
  write('kept.txt', 'quite different\n');
  const done = await json('checkpoint', 'restore', id, '--branch', 'rescue');
  const at = join(project.root, '.worktrees', 'rescue');
  expect(done).toMatchObject({ branch: 'rescue', folder: at });
  expect(done.leftOut).toEqual([{ path: 'image.bin', why: expect.stringContaining('binary') }]);
  expect(readFileSync(join(at, 'kept.txt'), 'utf8')).toBe('one\r\nzwei\n');
  expect(readFileSync(join(at, 'new dir/ünï.txt'), 'utf8')).toBe('new, no line end');
  expect(existsSync(join(at, 'gone.txt'))).toBe(false);
  expect(readlinkSync(join(at, 'link'))).toBe('kept.txt');
  expect(readFileSync(join(project.root, 'kept.txt'), 'utf8')).toBe('quite different\n');
  const again = await project.agov('checkpoint', 'restore', id, '--branch', 'rescue');
  expect(again).toMatchObject({ code: 73 });
  project.git('branch', 'taken');
  expect((await project.agov('checkpoint', 'restore', id, '--branch', 'taken')).code).toBe(73);
  expect(existsSync(join(project.root, '.worktrees', 'taken'))).toBe(false);
  expect((await project.agov('checkpoint', 'restore', id, '--branch', '../up')).code).toBe(64);
});

it('compares two, shows all of them in order, and prunes those without a tag', async () => {
  write('a.txt', 'one\n');
  const first = await taken('--tag', 'first');
  write('a.txt', 'two\n');
  await must(project.agov('status', 'update', '.', '--phase', 'in-progress', '--task', 'go on'));
  const second = await taken('--next', 'more');
  const difference = await json('checkpoint', 'diff', first, second);
  const parts = difference.map(({ part }: { part: string }) => part);
  expect(parts).toEqual(expect.arrayContaining(['files', 'status', 'next']));
  expect(await checkpoint('diff', first, first)).toContain('Nothing is different.');
  const timeline = await json('checkpoint', 'timeline');
  expect(timeline.checkpoints.map(({ id }: { id: string }) => id)).toEqual([second, first]);
  expect(await checkpoint('timeline', '--graph')).toMatch(/● {2}.*main/);
  await taken();
  const old = Date.now() / 1000 - 7200;
  for (const one of readdirSync(join(folder(), 'objects'), { recursive: true, withFileTypes: true })) {
    if (one.isFile()) utimesSync(join(one.parentPath, one.name), old, old);
  }
  const pruned = await json('checkpoint', 'prune', '--keep', '1');
  expect(pruned).toMatchObject({ removed: [second], kept: 2 });
  expect(await checkpoint('show', first, '--diff')).toContain('+one');
  const last = (await project.entries()).at(-1);
  expect(last).toMatchObject({ kind: 'checkpoint', body: { step: 'pruned', ids: [second], operator: 'ada' } });
});

it('takes them unasked where the configuration says so, and lets go of those alone', async () => {
  const config = join(project.root, 'agov.yaml');
  appendFileSync(config, '\nsandbox: none\ncheckpoint: { auto: [stage-end, drain], keep: 1 }\n');
  writeFileSync(config, readFileSync(config, 'utf8').replace(/^sandbox: bubblewrap$/m, ''));
  await must(project.agov('agent', 'add', 'builder', '--tier', 'T1'));
  const asked = await taken('--notes', 'by hand');
  mkdirSync(join(project.root, 'pipelines'), { recursive: true });
  const stage = (run: string, needs = '') => `{ agent: builder, run: ${run}${needs} }`;
  const stages = `stages:\n  one: ${stage('echo made > made.txt')}\n  two: ${stage('exit 3', ', needs: [one]')}\n`;
  write('pipelines/two.yaml', `apiVersion: agov/v1\nkind: Pipeline\nname: two\n${stages}`);
  const run = await project.agov('pipeline', 'run', 'pipelines/two.yaml');
  expect(run.stderr).not.toContain('No checkpoint was taken');
  const { checkpoints } = await json('checkpoint', 'timeline');
  expect(checkpoints.map(({ cause }: { cause: string }) => cause)).toEqual(['stage-end', 'asked']);
  expect(checkpoints[1].id).toBe(asked);
  const told = (await json('checkpoint', 'show')).parts;
  expect(told.notes.value.notes).toMatch(/two failed/);
  expect(told.work.value.failures[0]).toMatchObject({ agent: 'builder', what: expect.stringContaining('exit 3') });
  expect(told.files.value.files).toContainEqual(expect.objectContaining({ path: 'made.txt' }));
  const served = project.start(['serve']);
  await served.printed('ready');
  served.child.kill('SIGTERM');
  expect(await served.done).toMatchObject({ code: 0 });
  expect((await json('checkpoint', 'show')).about).toMatchObject({ cause: 'drain' });
});

describe('bad input', () => {
  it('lists those that an id may mean, and says where there is none', async () => {
    expect((await project.agov('checkpoint', 'load', 'nope')).code).toBe(66);
    const [a, b] = [await taken(), await taken()];
    const common = [...a].findIndex((letter, i) => letter !== b[i]);
    const both = await project.agov('checkpoint', 'load', a.slice(0, Math.max(4, Math.min(common, 8))));
    expect(both).toMatchObject({ code: 73 });
    for (const id of [a, b]) expect(both.stderr).toContain(id);
    expect((await project.agov('checkpoint', 'load', a.slice(-12))).code).toBe(0);
  });

  it('says which part is damaged, and loads the rest', async () => {
    write('a.txt', 'text\n');
    const id = await taken('--notes', 'the rest', '--next', 'go on');
    const path = join(folder(), files()[0] ?? '');
    const whole = readFileSync(path);
    for (const part of ['notes', 'git', 'files', 'memory']) {
      const bytes = Buffer.from(whole);
      const start = bytes.indexOf(`{"part":"${part}"`);
      const end = bytes.indexOf('\n', start);
      bytes[Math.floor(start + (end - start) * 0.9)] = 0xff;
      writeFileSync(path, bytes);
      const brief = await json('checkpoint', 'load', id);
      expect(brief.text).toContain(`Damaged: ${part}.`);
      expect(brief.text.includes('the rest')).toBe(part !== 'notes');
      expect(brief.text.includes('a.txt untracked')).toBe(part !== 'files');
    }
    expect((await json('checkpoint', 'show', id)).damage).toEqual([{ part: 'memory', why: expect.any(String) }]);
    writeFileSync(path, Buffer.concat([Buffer.from('{"part":"about"'), whole.subarray(40)]));
    const brief = await json('checkpoint', 'load', id);
    for (const text of ['Damaged: about.', 'the rest', 'a.txt untracked', 'by unknown'])
      expect(brief.text).toContain(text);
    // Nobody’s is not the newest of the project’s.
    expect(await checkpoint('load')).toContain('There is no checkpoint.');
  });

  it('tells a file that was cut off, and passes over one that says nothing any more', async () => {
    const id = await taken('--notes', 'first');
    const path = join(folder(), files()[0] ?? '');
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, whole.length / 2));
    expect((await json('checkpoint', 'show', id)).damage.length).toBeGreaterThan(0);
    writeFileSync(path, '');
    expect(await project.agov('checkpoint', 'show', id)).toMatchObject({ code: 65 });
    expect(await checkpoint('load')).toContain('There is no checkpoint.');
    expect((await json('checkpoint', 'timeline')).broken).toEqual([id]);
    appendFileSync(path, 'rubbish\n');
    await taken('--notes', 'second');
    expect(await checkpoint('load')).toContain('second');
  });

  it('works without a git repository, before the first commit, and says what is missing', async () => {
    rmSync(join(project.root, '.git'), { recursive: true });
    const done = await checkpoint('now', '--next', 'init git');
    expect(done).toContain('without git: There is no git repository.');
    const brief = await checkpoint('load');
    expect(brief).toContain('init git');
    expect(brief).toContain('There is no git repository.');
    expect((await project.agov('checkpoint', 'restore', 'latest')).code).toBe(65);
    project.git('init', '--quiet', '--initial-branch=main');
    expect(await checkpoint('load')).toMatch(/On branch main, at no commit yet/);
  });

  it('refuses what makes no sense, and takes nothing', async () => {
    const bad: readonly (readonly [number, ...string[]])[] = [
      [65, 'now', '--notes', ' '],
      [65, 'now', '--notes', 'x'.repeat(20_000)],
      [65, 'now', '--tag', 'two words'],
      [65, 'now', '--tag', 'latest'],
      [64, 'prune'],
      [64, 'prune', '--keep', '-1'],
    ];
    for (const [code, ...argv] of bad) {
      expect({ argv, ...(await project.agov('checkpoint', ...argv)) }).toMatchObject({ argv, code });
    }
    expect((await project.agov('checkpoint', 'now', '--as', 'eve')).code).not.toBe(0);
    expect(existsSync(folder()) ? files() : []).toEqual([]);
  });
});

it('looks at what git keeps, and at what was touched last, where there is more than can be looked at', async () => {
  write('zz-kept.txt', 'one\n');
  project.git('add', '--all');
  project.git('commit', '--quiet', '--message', 'Kept');
  write('zz-kept.txt', 'two\n');
  mkdirSync(join(project.root, 'many'));
  for (let i = 0; i < 1100; i++) {
    write(`many/${i}.txt`, 'x\n');
    utimesSync(join(project.root, `many/${i}.txt`), 1_000_000_000, 1_000_000_000);
  }
  write('zz-new.txt', 'now\n');
  const told = await checkpoint('load');
  for (const text of ['zz-kept.txt modified +1 -1', 'zz-new.txt untracked +1 -0', 'and 102 more']) {
    expect(told).toContain(text);
  }
});

it('tells the work that was spoken of last, however many directories there are', async () => {
  for (let i = 0; i < 90; i++) {
    mkdirSync(join(project.root, `d${i}`));
    write(`d${i}/STATUS.md`, '---\nphase: in-progress\nupdated: 2026-01-01\ntasks:\n  - old\n---\n');
  }
  await must(project.agov('status', 'update', 'd77', '--task', 'where I am'));
  const told = await checkpoint('load', '--budget', '600');
  expect(told).toContain('- d77: in-progress. Open: old; where I am.');
  expect(told).toContain('and 30 more directories: agov status dashboard');
  expect(await checkpoint('report')).toMatch(/^d77 /m);
});
