/** What SQLite says is told in words that help, and a full disk is told from a damaged file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fakeEnv } from '../../../../test/support/fake-env.ts';
import { openDatabase } from './database.ts';
import { memoryFault } from './faults.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agov-faults-'));
  path = join(folder, 'memory.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

function faultOf(sql: readonly string[]): unknown {
  const db = new DatabaseSync(path);
  try {
    for (const one of sql) db.exec(one);
  } catch (error) {
    return memoryFault(path, error);
  } finally {
    db.close();
  }
  return undefined;
}

it('a disk that is full', () => {
  const fault = faultOf(['PRAGMA max_page_count = 4', 'CREATE TABLE t (a)', 'INSERT INTO t VALUES (zeroblob(100000))']);
  expect(fault).toMatchObject({ code: 'DISK_FULL', retry: true, fix: expect.stringContaining('gc') });
});

it('a file that another holds', () => {
  using holder = new DatabaseSync(path);
  holder.exec('CREATE TABLE t (a); BEGIN EXCLUSIVE');
  expect(faultOf(['PRAGMA busy_timeout = 0', 'INSERT INTO t VALUES (1)'])).toMatchObject({
    code: 'MEMORY_UNAVAILABLE',
    retry: true,
  });
});

it.each<[string, () => void]>([
  ['garbage', () => writeFileSync(path, 'x'.repeat(10_000))],
  ['another program’s database', () => void faultOf(['CREATE TABLE theirs (a)'])],
  [
    'a format that never was',
    () => void faultOf(['CREATE TABLE theirs (a)', 'PRAGMA application_id = 1634168165', 'PRAGMA user_version = -3']),
  ],
])('%s is damage', async (_, make) => {
  make();
  await expect(openDatabase(path, fakeEnv())).rejects.toMatchObject({ code: 'MEMORY_CORRUPT' });
});

it('a newer format is refused, and not guessed at', async () => {
  faultOf(['CREATE TABLE theirs (a)', 'PRAGMA application_id = 1634168165', 'PRAGMA user_version = 99']);
  await expect(openDatabase(path, fakeEnv())).rejects.toMatchObject({
    code: 'MEMORY_UNAVAILABLE',
    message: expect.stringContaining('format 99'),
  });
});

it('no extension is loaded by SQL', async () => {
  using db = await openDatabase(path, fakeEnv());
  expect(() => db.run(`SELECT load_extension('/tmp/x.so')`)).toThrow(/not authorized/);
});
