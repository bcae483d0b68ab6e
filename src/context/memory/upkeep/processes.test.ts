/** Many processes on one memory lose and tear nothing, and one that is killed anywhere leaves the last good state. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { someOf } from '../../../../test/support/sizes.ts';
import { idSource, systemEnv } from '../../../kernel/index.ts';
import { type Memory, openMemory } from '../index.ts';

const support = join(import.meta.dirname, '../../../../test/support');
const killing = pathToFileURL(join(support, 'kill-at-commit.mjs')).href;
const env = systemEnv();
const here = ['project'];
/** 50 for what the memory promises. */
const processes = Number(process.env['AGOV_PROCESSES'] ?? 4);

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agov-memories-'));
  path = join(folder, 'memory.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Worker {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  /** What it has acknowledged: id and mark. */
  acknowledged(): (readonly [string, string])[];
}

function start(count: number, lines: number, killAt?: string, ...more: readonly 'gc'[]): Worker {
  const preload = killAt === undefined ? [] : ['--import', killing];
  const child = spawn(
    process.execPath,
    [...preload, join(support, 'memory-worker.ts'), path, String(count), String(lines), ...more],
    {
      env: { ...process.env, ...(killAt === undefined ? {} : { KILL_AT: killAt }) },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const acknowledged = () =>
    printed
      .split('\n')
      .slice(0, -1)
      .map((line) => [line.slice(0, 36), line.slice(37)] as const);
  return { child, ended: once(child, 'close'), acknowledged };
}

const open = (): Promise<Memory> => openMemory({ path, env, ids: idSource(env) });

/** Every entry has all of its lines and no other's. */
function whole(memory: Memory, id: string, mark: string, lines: number): void {
  const text = Buffer.concat(
    [...memory.fetch(here, id)].map(({ bytes }) => bytes ?? Buffer.from('damaged')),
  ).toString();
  expect(
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => line.slice(0, line.indexOf(' filler'))),
  ).toEqual(Array.from({ length: lines }, (_, i) => `${mark} line ${i}`));
}

it(`${processes} processes at once, one of which tidies up, lose nothing and tear nothing`, {
  timeout: 300_000,
}, async () => {
  const workers = Array.from({ length: processes }, (_, i) =>
    start(6, 200, undefined, ...(i === 0 ? ['gc' as const] : [])),
  );
  await Promise.all(workers.map(({ ended }) => ended));
  expect(workers.map(({ child }) => child.exitCode)).toEqual(workers.map(() => 0));
  await using memory = await open();
  const all = workers.flatMap((worker) => worker.acknowledged());
  expect(all).toHaveLength(processes * 6);
  expect(
    memory
      .list(here, { limit: 10_000 })
      .entries.map(({ id }) => id)
      .sort(),
  ).toEqual(all.map(([id]) => id).sort());
  for (const [id, mark] of all) {
    whole(memory, id, mark, 200);
    expect(memory.search(here, { text: `"${mark}"`, limit: 3 }).hits.map(({ entry }) => entry.id)).toContain(id);
  }
});

// The 1st commit makes the tables; each entry has two, of which the 2nd makes it visible.
it.each(someOf(['before 2', 'after 2', 'before 3', 'after 3', 'before 4', 'after 4'], 3))('killed %s', async (at) => {
  const lines = 50_000;
  const worker = start(2, lines, at.split(' ').reverse().join(':'));
  await worker.ended;
  expect(worker.child.signalCode).toBe('SIGKILL');
  {
    await using memory = await open();
    const entries = memory.list(here, { limit: 10 }).entries;
    const known = worker.acknowledged();
    // One more may be there: it was killed between the commit and the word of it.
    expect(entries.length - known.length).toBeGreaterThanOrEqual(0);
    expect(entries.length - known.length).toBeLessThanOrEqual(1);
    for (const { id, title } of entries) whole(memory, id, title, lines);
    await memory.gc();
    for (const { id } of entries) memory.forget(here, id, 'ada', 'test');
  }
  const db = new DatabaseSync(path);
  const left = db
    .prepare(
      'SELECT (SELECT count(*) FROM contents) + (SELECT count(*) FROM blocks) + (SELECT count(*) FROM parts) + (SELECT count(*) FROM content_blocks) AS n',
    )
    .get();
  db.close();
  expect(left).toEqual({ n: 0 });
});

describe('a gc', () => {
  const text = (mark: string, lines: number): AsyncGenerator<Uint8Array> =>
    (async function* () {
      yield Buffer.from(Array.from({ length: lines }, (_, i) => `${mark} line ${i} filler\n`).join(''));
    })();

  // The 1st commit takes what has expired, those after it its content, and the last ones index what was left out.
  const kills: readonly [string, number][] = [
    ['before 1', 3000],
    ['after 1', 3000],
    ['before 3', 3000],
    ['after 3', 3000],
    ['before 4', 3000],
    ['after 4', 3000],
    ['before 6', 3000],
    // So much that the index is written anew.
    ['after 10', 100_000],
    ['after 16', 100_000],
    ['after 18', 100_000],
  ];
  it.each(someOf(kills, 3))('killed %s of content of %i lines', async (at, lines) => {
    const kept = await (async () => {
      await using memory = await open();
      const entry = await memory.log('project', { operator: 'ada' }, text('kept', lines), { title: 'kept' });
      for (const mark of ['gone', 'lost'])
        await memory.log('project', { operator: 'ada' }, text(mark, lines), { title: mark, ttlMs: 0 });
      return entry;
    })();
    const db = new DatabaseSync(path);
    // As after a block that was damaged and written again: nothing is indexed.
    db.exec(`INSERT INTO words (words) VALUES ('delete-all'); UPDATE contents SET indexed = 0`);
    const worker = start(0, 0, at.split(' ').reverse().join(':'), 'gc');
    await worker.ended;
    expect(worker.child.signalCode).toBe('SIGKILL');
    await using memory = await open();
    whole(memory, kept.id, 'kept', lines);
    await memory.gc();
    expect(memory.list(here, { limit: 10 }).entries.map(({ id }) => id)).toEqual([kept.id]);
    whole(memory, kept.id, 'kept', lines);
    expect(memory.search(here, { text: `"kept line ${lines - 1}"`, limit: 3 }).hits).toHaveLength(1);
    expect(memory.search(here, { text: 'gone', limit: 3 }).hits).toEqual([]);
    expect(memory.behind()).toBe(0);
    const left = db
      .prepare('SELECT (SELECT count(*) FROM contents) AS contents, (SELECT count(*) FROM parts) AS parts')
      .get();
    expect(left).toEqual({ contents: 1, parts: kept.parts });
    db.exec(`INSERT INTO words (words) VALUES ('integrity-check')`);
    db.close();
  });
});
