/** Real processes on one state file: limits, locks and versions hold between them, and a killed one loses nothing. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemEnv } from '../../../kernel/index.ts';
import { openEmbeddedState } from './index.ts';

const worker = fileURLToPath(new URL('../../../../test/support/state-worker.ts', import.meta.url));
const env = systemEnv();
let folder: string;
let path: string;
let children: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agov-processes-'));
  path = join(folder, 'state.db');
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

function start(job: string, times: number) {
  const child = spawn(process.execPath, [worker, path, job, String(times)], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}

/** What each of `processes` workers printed; none of them opened the file before the others ran. */
async function all(processes: number, job: string, times: number): Promise<unknown[]> {
  const work = Array.from({ length: processes }, async () => {
    const child = start(job, times);
    const [out, faults, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    expect({ code, faults }).toEqual({ code: 0, faults: '' });
    return JSON.parse(out);
  });
  return Promise.all(work);
}

it('lets six processes spend a budget to the last unit and not beyond', async () => {
  const accepted = (await all(6, 'spend', 2000)).map(Number);
  expect(accepted.reduce((sum, n) => sum + n, 0)).toBe(2000);
  await using state = await openEmbeddedState({ path, env });
  expect(await state.counters.get('spent')).toBe(2000);
});

it('lets one of four processes hold a lock, with tokens that grow in the order of the grants', async () => {
  const granted = (await all(4, 'lock', 40)).flat().map(Number);
  await using state = await openEmbeddedState({ path, env });
  const order = (await state.board.get('tokens'))?.value;
  expect(order).toEqual([...new Set(granted)].sort((a, b) => a - b));
  expect(order).toHaveLength(160);
});

it('loses no compare-and-set of five processes', async () => {
  await all(5, 'increment', 200);
  await using state = await openEmbeddedState({ path, env });
  expect(await state.board.get('total')).toEqual({ key: 'total', value: 1000, version: 1000 });
});

it('keeps every acknowledged write when the writers are killed in the middle', async () => {
  const acknowledged: number[] = [];
  for (let round = 0; round < 3; round++) {
    const writers = [start('publish', 0), start('publish', 0)];
    const closed = writers.map((child) => once(child, 'close'));
    await Promise.all(
      writers.map(async (child) => {
        let lines = 0;
        for await (const line of createInterface({ input: child.stdout })) {
          acknowledged.push(Number(line));
          if (++lines === 60 + 17 * round) child.kill('SIGKILL');
        }
      }),
    );
    await Promise.all(closed);
  }
  await using state = await openEmbeddedState({ path, env });
  const kept = new Set((await state.events.read(0, 10_000)).map((event) => event.seq));
  // A line that the kill cut short is not an acknowledgement.
  const whole = acknowledged.filter((seq) => seq > 1e15);
  expect(whole.length).toBeGreaterThan(400);
  expect(whole.filter((seq) => !kept.has(seq))).toEqual([]);
  expect(new Set(whole).size).toBe(whole.length);
  expect(await state.counters.get('published')).toBeGreaterThanOrEqual(kept.size);
  expect(await state.locks.acquire('deploy', 'amy', 1000)).toBeDefined();
});

it('shows an event of another process to one that follows', async () => {
  await using state = await openEmbeddedState({ path, env });
  const stop = new AbortController();
  const events = state.events.follow(stop.signal)[Symbol.asyncIterator]();
  const next = events.next();
  const child = start('publish', 0);
  expect(await next).toMatchObject({ done: false, value: { topic: 'n', body: { n: 1 } } });
  child.kill('SIGKILL');
  await once(child, 'close');
  stop.abort();
  expect(await events.return?.()).toMatchObject({ done: true });
});
