/** Damage of every kind is told from absence and from contention, and never read as an empty store. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeEnv } from '../../../../../test/support/fake-env.ts';
import { openEmbeddedState } from '../index.ts';
import { stateFault } from './faults.ts';

const env = fakeEnv();
const fix = 'Run "agov state rebuild": it sets the damaged file aside and rebuilds state from the ledger.';
let folder: string;
let path: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agov-damage-'));
  path = join(folder, 'state.db');
  await using state = await openEmbeddedState({ path, env });
  for (let n = 0; n < 200; n++) await state.board.set(`key-${n}`, 'x'.repeat(100), 0);
});
afterEach(() => rmSync(folder, { recursive: true }));

function patch(change: (bytes: Buffer) => void): void {
  const bytes = readFileSync(path);
  change(bytes);
  writeFileSync(path, bytes);
}

function sql(text: string): void {
  const db = new DatabaseSync(path);
  db.exec(text);
  db.close();
}

describe.each<[string, () => void]>([
  ['garbage all over', () => writeFileSync(path, 'x'.repeat(8192))],
  ['a short text', () => writeFileSync(path, 'hello')],
  ['a broken header', () => patch((bytes) => bytes.fill(0, 0, 16))],
  ['a cut in the middle of a page', () => truncateSync(path, 5000)],
  ['a cut at the border of a page', () => truncateSync(path, 8192)],
  ['a page of garbage', () => patch((bytes) => bytes.fill(0xff, bytes.length - 4096))],
  ['a missing table', () => sql('DROP TABLE board')],
  ["another program's database", () => sql('PRAGMA application_id = 1')],
  ['a format that never was', () => sql('PRAGMA user_version = 0')],
])('%s', (_, damage) => {
  it('is answered with STATE_CORRUPT and the way out', async () => {
    damage();
    const use = async (): Promise<void> => {
      await using state = await openEmbeddedState({ path, env });
      await state.board.list('');
    };
    await expect(use()).rejects.toMatchObject({ code: 'STATE_CORRUPT', fix });
  });
});

it.each([
  ['a value that is not JSON', `UPDATE board SET value = '{' WHERE key = 'key-7'`],
  ['a version below one', `UPDATE board SET version = 0 WHERE key = 'key-7'`],
  ['a version beyond safe integers', `UPDATE board SET version = 9007199254740993 WHERE key = 'key-7'`],
])('a row with %s is damage, and only that row', async (_, change) => {
  sql(change);
  await using state = await openEmbeddedState({ path, env });
  await expect(state.board.get('key-7')).rejects.toMatchObject({ code: 'STATE_CORRUPT', fix });
  expect(await state.board.get('key-8')).toBeDefined();
});

it('refuses a newer format without touching it', async () => {
  sql('PRAGMA user_version = 99');
  const before = readFileSync(path);
  await expect(openEmbeddedState({ path, env })).rejects.toMatchObject({
    code: 'STATE_UNAVAILABLE',
    message: expect.stringContaining('format 99'),
  });
  expect(readFileSync(path).equals(before)).toBe(true);
});

it('leaves a database that is not its own as it was', async () => {
  const foreign = join(folder, 'foreign.db');
  const db = new DatabaseSync(foreign);
  db.exec('CREATE TABLE mine (a)');
  db.close();
  const before = readFileSync(foreign);
  await expect(openEmbeddedState({ path: foreign, env })).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
  expect(readFileSync(foreign).equals(before)).toBe(true);
});

it('says that the store does not answer where the path cannot be a file', async () => {
  await expect(openEmbeddedState({ path: folder, env })).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
  const under = join(path, 'state.db');
  await expect(openEmbeddedState({ path: under, env })).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
});

it('says that the store does not answer while another process holds it locked', () => {
  using holder = new DatabaseSync(path);
  using other = new DatabaseSync(path, { timeout: 0 });
  holder.exec('BEGIN IMMEDIATE');
  try {
    other.exec('BEGIN IMMEDIATE');
    expect.unreachable('two held the write lock');
  } catch (error) {
    expect(stateFault(path, error)).toMatchObject({ code: 'STATE_UNAVAILABLE', retry: true, fix: expect.any(String) });
  }
});

it('keeps committed rows when the log is cut behind them, as a power failure does', async () => {
  const copy = join(folder, 'copy.db');
  await using state = await openEmbeddedState({ path, env });
  await state.board.set('before', 1, 0);
  const durable = readFileSync(`${path}-wal`).length;
  await state.board.set('after', 1, 0);
  copyFileSync(path, copy);
  copyFileSync(`${path}-wal`, `${copy}-wal`);
  truncateSync(`${copy}-wal`, durable + 100);
  await using survivor = await openEmbeddedState({ path: copy, env });
  expect(await survivor.board.get('before')).toBeDefined();
  expect(await survivor.board.get('after')).toBeUndefined();
});
