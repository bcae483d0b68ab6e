/** Many who change one status lose nothing, a person who saves in between included, and a process may die anywhere. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { someOf } from '../../../../test/support/sizes.ts';
import { AgovError, idSource, systemEnv } from '../../../kernel/index.ts';
import { readStatus } from '../format/index.ts';
import { openTurns } from './turn.ts';
import { type UpdateParts, update, type Wanted } from './update.ts';

const support = join(import.meta.dirname, '../../../../test/support');
const killing = pathToFileURL(join(support, 'kill-at-write.mjs')).href;
const env = systemEnv();
const many = Math.max(4, Math.min(50, Number(process.env['AGOV_PROPERTY_RUNS'] ?? 4)));

let root: string;
let file: string;
let turns: ReturnType<typeof openTurns>;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'agov-status-')));
  mkdirSync(join(root, '.agov'));
  mkdirSync(join(root, 'api'));
  file = join(root, 'api/STATUS.md');
  turns = openTurns(join(root, '.agov/status.lock'), env);
});
afterEach(() => {
  turns[Symbol.dispose]();
  rmSync(root, { recursive: true });
});

const parts = (within?: UpdateParts['within']): UpdateParts => ({
  env,
  ids: idSource(env),
  turns,
  ...(within ? { within } : {}),
});
const change = (wanted: Partial<Wanted>, within?: UpdateParts['within'], directory = 'api') =>
  update(parts(within), root, join(root, directory), { by: 'ada', ...wanted });
const text = (): string => readFileSync(file, 'utf8');
const begun = '---\nphase: review\n---\n\n# api\n';

interface Worker {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  printed(): readonly string[];
}

function start(name: string, count: number, more: NodeJS.ProcessEnv = {}, preload = false): Worker {
  const options = preload ? ['--import', killing] : [];
  const child = spawn(
    process.execPath,
    [...options, join(support, 'status-worker.ts'), root, 'api', name, String(count)],
    {
      env: { ...process.env, KILL_NAME: 'STATUS.md', ...more },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk;
  });
  return { child, ended: once(child, 'close'), printed: () => out.split('\n').slice(0, -1) };
}

function tasks(): readonly string[] {
  const read = readStatus(text(), 'api/STATUS.md');
  if (!read.ok) throw new Error(JSON.stringify(read.faults));
  return read.value.tasks.map((one) => one.text);
}

it.each([2, many])(
  '%i processes at once lose nothing',
  async (processes) => {
    const each = 8;
    const workers = Array.from({ length: processes }, (_, i) => start(`w${i}`, each));
    await Promise.all(workers.map(({ ended }) => ended));
    const all = workers.flatMap((_, i) => Array.from({ length: each }, (_, n) => `w${i} ${n}`)).sort();
    expect(workers.flatMap((worker) => worker.printed()).sort()).toEqual(all);
    expect([...tasks()].sort()).toEqual(all);
    for (const task of all) expect(text()).toMatch(new RegExp(`^- \\S+ ${task.split(' ')[0]}: did ${task}$`, 'm'));
    expect(readdirSync(join(root, 'api'))).toEqual(['STATUS.md']);
  },
  180_000,
);

it('calls within one process take their turns', async () => {
  await Promise.all(Array.from({ length: 20 }, (_, i) => change({ tasks: [`t${i}`] })));
  expect(tasks()).toHaveLength(20);
});

it.each([
  ['a new file', false],
  ['a file that is there', true],
])(
  'killed at any write to %s it leaves the last good one',
  async (_, there) => {
    const before = '---\nphase: review\ntasks:\n  - old\n---\nwords\n';
    const reset = (): void => {
      rmSync(join(root, 'api'), { recursive: true });
      mkdirSync(join(root, 'api'));
      if (there) writeFileSync(file, before);
    };
    reset();
    const whole = start('w', 1, {}, true);
    await whole.ended;
    const [, ...writes] = whole.printed().at(-1)?.split(' ') ?? [];
    expect(writes).toContain(there ? 'renameSync' : 'linkSync');
    const deaths = [
      // After one is before the next.
      ...writes.map((_, i) => `${i + 1}:before`),
      `${writes.length}:after`,
      `${writes.indexOf('writeFileSync') + 1}:half`,
    ];
    for (const at of someOf(deaths, 3)) {
      reset();
      const worker = start('w', 1, { KILL_AT: at }, true);
      await worker.ended;
      expect(worker.child.signalCode, at).toBe('SIGKILL');
      const left = readdirSync(join(root, 'api'));
      if (left.includes('STATUS.md')) {
        const now = text();
        expect(
          now === before || /- task: w 0\n {4}done: true[\s\S]*\n- \S+ w: did w 0\n$/.test(now),
          `${at}\n${now}`,
        ).toBe(true);
      } else expect(there, at).toBe(false);
      // Nobody has to wait for who is dead, and what it left goes with the next change.
      await change({ tasks: ['next'] });
      expect(tasks(), at).toContain('next');
      expect(readdirSync(join(root, 'api')), at).toEqual(['STATUS.md']);
    }
  },
  120_000,
);

it.each([
  [
    'puts a new file in place',
    (): void => {
      writeFileSync(`${file}~`, text().replace('# api', '# api, by hand'));
      renameSync(`${file}~`, file);
    },
  ],
  ['writes into the old one', (): void => writeFileSync(file, text().replace('# api', '# api, by hand'))],
])('merges into what a person saves before the write whose editor %s', async (_, save) => {
  writeFileSync(file, begun);
  let saves = 0;
  await change({ tasks: ['mine'] }, async (write) => {
    if (saves++ === 0) save();
    write();
  });
  expect(text()).toContain('# api, by hand');
  expect(tasks()).toEqual(['mine']);
});

it('merges into what a person’s editor writes into the file that has lost its name', async () => {
  writeFileSync(file, begun);
  const { openSync, writeSync, ftruncateSync, closeSync } = await import('node:fs');
  const editor = openSync(file, 'r+');
  let saves = 0;
  await change({ tasks: ['mine'] }, async (write) => {
    write();
    if (saves++ > 0) return;
    ftruncateSync(editor);
    writeSync(editor, '---\nphase: blocked\n---\nby hand\n', 0);
  });
  closeSync(editor);
  expect(text()).toMatch(/^---\nphase: blocked\nupdated: .*\ntasks:\n {2}- mine\n---\nby hand\n$/);
});

it('gives up where somebody saves all the time, and writes nothing', async () => {
  writeFileSync(file, begun);
  let saves = 0;
  const saving = change({ tasks: ['mine'] }, async (write) => {
    writeFileSync(file, `${begun}${saves++}\n`);
    write();
  });
  await expect(saving).rejects.toMatchObject({ code: 'STATUS_BUSY' });
  expect(text()).toBe(`${begun}${saves - 1}\n`);
});

it('writes nothing where what is around the write refuses', async () => {
  writeFileSync(file, begun);
  const refused = change({ tasks: ['mine'] }, async () => {
    throw new AgovError('DENIED', { what: 'No.' });
  });
  await expect(refused).rejects.toMatchObject({ code: 'DENIED' });
  expect(text()).toBe(begun);
});

it('is led out of the project by no link, and to no place of agov’s own', async () => {
  const outside = mkdtempSync(join(tmpdir(), 'agov-outside-'));
  symlinkSync(outside, join(root, 'out'));
  await expect(change({}, undefined, 'out')).rejects.toMatchObject({ code: 'WORKSPACE_INVALID' });
  await expect(change({}, undefined, '..')).rejects.toMatchObject({ code: 'WORKSPACE_INVALID' });
  await expect(change({}, undefined, '.agov')).rejects.toMatchObject({ code: 'WORKSPACE_INVALID' });
  await expect(change({}, undefined, 'none')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  writeFileSync(join(outside, 'theirs'), begun);
  symlinkSync(join(outside, 'theirs'), file);
  await expect(change({})).rejects.toMatchObject({ code: 'STATUS_INVALID' });
  // The folder is swapped for a link between the look and the write: what was looked at is written, wherever it is now.
  rmSync(file);
  await change({ tasks: ['mine'] }, async (write) => {
    renameSync(join(root, 'api'), join(root, 'moved'));
    symlinkSync(outside, join(root, 'api'));
    write();
  });
  expect(readdirSync(outside)).toEqual(['theirs']);
  expect(readdirSync(join(root, 'moved'))).toEqual(['STATUS.md']);
  rmSync(outside, { recursive: true });
});

it.each([
  ['binary', Buffer.from([0x2d, 0, 1, 2])],
  ['no UTF-8', Buffer.from([0x2d, 0xff, 0xfe])],
  ['faulty', Buffer.from('---\nphase: wip\n---\n')],
])('leaves a file that is %s as it is', async (_, bytes) => {
  writeFileSync(file, bytes);
  await expect(change({ phase: 'review' })).rejects.toMatchObject({ code: 'STATUS_INVALID' });
  expect(readFileSync(file)).toEqual(bytes);
});

it('keeps ten megabytes of words', async () => {
  const words = 'many words\n'.repeat(1_000_000);
  writeFileSync(file, begun + words);
  await change({ phase: 'complete' });
  expect(text().endsWith(words)).toBe(true);
});
