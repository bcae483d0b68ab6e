/** What nobody means to log and somebody does: a line without an end, bytes of every kind, nothing, a clock that goes back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type FakeEnv, fakeEnv } from '../../../../test/support/fake-env.ts';
import { idSource } from '../../../kernel/index.ts';
import { type Memory, openMemory } from '../index.ts';

const mebi = 1024 * 1024;
const here = ['project'];
/** 2048 for a line of two gigabytes. */
const lineMegabytes = Number(process.env['AGOV_LINE_MEGABYTES'] ?? 24);

let folder: string;
let env: FakeEnv;
let memory: Memory;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agov-awkward-'));
  env = fakeEnv();
  memory = await openMemory({ path: join(folder, 'memory.db'), env, ids: idSource(env) });
});
afterEach(async () => {
  await memory[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function* chunks(bytes: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* bytes;
}
const log = (...bytes: readonly Uint8Array[]) => logAll(bytes);
const logAll = (bytes: readonly Uint8Array[]) => memory.log('project', { operator: 'ada' }, chunks(bytes), {});

it(`takes a line of ${lineMegabytes} MiB, holding little of it, and gives it back by parts`, {
  timeout: 600_000,
}, async () => {
  const before = process.memoryUsage().rss;
  let most = before;
  async function* line(): AsyncGenerator<Uint8Array> {
    for (let n = 0; n < lineMegabytes; n++) {
      // A number each mebibyte, so that no block is another's copy.
      yield Buffer.from(` walnut ${n} `.padEnd(mebi, n % 2 === 0 ? 'word ' : 'x'));
      most = Math.max(most, process.memoryUsage().rss);
    }
  }
  const entry = await memory.log('project', { operator: 'ada' }, line(), {});
  expect(entry).toMatchObject({ bytes: lineMegabytes * mebi, lines: 1, kind: 'text' });
  expect((most - before) / mebi).toBeLessThan(300);
  expect(entry.title.length).toBeLessThanOrEqual(100);
  let size = 0;
  let longest = 0;
  for (const { bytes, line } of memory.fetch(here, entry.id)) {
    expect(line).toBe(1);
    size += bytes?.length ?? 0;
    longest = Math.max(longest, bytes?.length ?? 0);
  }
  expect(size).toBe(entry.bytes);
  expect(longest).toBeLessThanOrEqual(6000);
  const [hit] = memory.search(here, { text: 'walnut 3', limit: 1 }).hits;
  expect(hit?.snippet.length).toBeLessThanOrEqual(202);
  expect(memory.summary(here, entry.id, 'short').text.length).toBeGreaterThan(0);
});

it('takes bytes of every value, in chunks of every size', async () => {
  const all = Buffer.from(Array.from({ length: 3 * 65_536 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
  for (const size of [9, 1000, 65_535, 65_536, 65_537]) {
    const cut = Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.subarray(i * size, (i + 1) * size));
    const entry = await logAll(cut);
    expect(entry.kind).toBe('binary');
    expect(Buffer.concat([...memory.fetch(here, entry.id)].map(({ bytes }) => bytes ?? Buffer.alloc(0)))).toEqual(all);
  }
});

it('finds the words around what is no UTF-8, and gives its bytes back as they were', async () => {
  const text = Buffer.from(`${'filler words of a text '.repeat(50)}walnut \xff\xfe\xc3( hazel`, 'latin1');
  const entry = await log(text);
  expect(entry.kind).toBe('text');
  for (const word of ['walnut', 'hazel'])
    expect(memory.search(here, { text: word, limit: 1 }).hits[0]?.entry.id).toBe(entry.id);
  expect(Buffer.concat([...memory.fetch(here, entry.id)].map(({ bytes }) => bytes ?? Buffer.alloc(0)))).toEqual(text);
  memory.forget(here, entry.id, 'ada', 'test');
  expect(memory.search(here, { text: 'walnut', limit: 1 }).hits).toEqual([]);
});

it('refuses nothing at all, however it comes, and leaves nothing', async () => {
  for (const nothing of [[], [new Uint8Array()], [new Uint8Array(), new Uint8Array()]])
    await expect(logAll(nothing)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      fix: expect.stringContaining('pipe'),
    });
  expect(memory.stats(here)).toMatchObject({ entries: 0, stored: 0 });
});

it('keeps the order of logging where the clock goes back, and cuts nobody’s time short', async () => {
  const first = await log(Buffer.from('walnut one\n'));
  env.setNow(env.now() - 365 * 86_400_000);
  const second = await memory.log('project', { operator: 'ada' }, chunks([Buffer.from('walnut two\n')]), {
    ttlMs: 60_000,
  });
  expect(second.at < first.at).toBe(true);
  expect(memory.list(here, { limit: 5 }).entries.map(({ id }) => id)).toEqual([second.id, first.id]);
  expect(memory.list(here, { limit: 5, before: second.id }).entries.map(({ id }) => id)).toEqual([first.id]);
  expect(memory.find(here, second.id).id).not.toBe(first.id);
  expect(await memory.gc()).toMatchObject({ expired: 0 });
  env.advance(60_000);
  expect(await memory.gc()).toMatchObject({ expired: 1 });
});
