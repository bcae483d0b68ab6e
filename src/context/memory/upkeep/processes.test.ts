/** Many processes on one memory lose and tear nothing, and one that is killed anywhere leaves the last good state. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { idSource, systemEnv } from '../../../kernel/index.ts';
import { type Memory, openMemory } from '../index.ts';

const support = join(import.meta.dirname, '../../../../test/support');
const killing = pathToFileURL(join(support, 'kill-at-commit.mjs')).href;
const env = systemEnv();
const here = ['project'];
const processes = Math.max(4, Math.min(50, Number(process.env['AGOV_PROPERTY_RUNS'] ?? 4)));

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

function start(count: number, lines: number, killAt?: string): Worker {
  const preload = killAt === undefined ? [] : ['--import', killing];
  const child = spawn(
    process.execPath,
    [...preload, join(support, 'memory-worker.ts'), path, String(count), String(lines)],
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

it(`${processes} processes at once lose nothing and tear nothing`, async () => {
  const workers = Array.from({ length: processes }, () => start(6, 200));
  await Promise.all(workers.map(({ ended }) => ended));
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
it.each(['before 2', 'after 2', 'before 3', 'after 3', 'before 4', 'after 4'])('killed %s', async (at) => {
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
