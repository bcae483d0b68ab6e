/** What the disk itself does, measured beside everything that claims to be durable. */
import { closeSync, fdatasyncSync, fsyncSync, openSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const tmpfsMagic = 0x01021994;

export function isTmpfs(dir: string): boolean {
  return statfsSync(dir).type === tmpfsMagic;
}

/** The temporary folder, or the current one where that is memory and would make every figure a lie. */
export function realDisk(): string {
  return isTmpfs(tmpdir()) ? process.cwd() : tmpdir();
}

/** Milliseconds of `rounds` times: 4 KiB written over, then fdatasync. */
export function fdatasyncTimes(dir: string, rounds: number): number[] {
  return syncTimes(join(dir, 'fdatasync'), rounds, 0, fdatasyncSync);
}

/** Milliseconds of `rounds` times: 4 KiB appended, then fsync, which is the call that SQLite makes. */
export function growingFsyncTimes(dir: string, rounds: number): number[] {
  return syncTimes(join(dir, 'fsync'), rounds, null, fsyncSync);
}

function syncTimes(path: string, rounds: number, at: number | null, sync: (file: number) => void): number[] {
  const file = openSync(path, 'w', 0o600);
  const page = Buffer.alloc(4096, 1);
  try {
    return Array.from({ length: rounds }, () => {
      writeSync(file, page, 0, page.length, at);
      const began = performance.now();
      sync(file);
      return performance.now() - began;
    });
  } finally {
    closeSync(file);
  }
}

export interface BareSqlite extends Disposable {
  /** Milliseconds of each of `rounds` pairs of commits, a row of 400 bytes in each. */
  pairs(rounds: number): number[];
}

export function bareSqlite(dir: string): BareSqlite {
  const db = new DatabaseSync(join(dir, 'bare.db'));
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (id INTEGER PRIMARY KEY, row BLOB)');
  const insert = db.prepare('INSERT INTO t (row) VALUES (?)');
  const row = Buffer.alloc(400, 1);
  return {
    pairs: (rounds) =>
      Array.from({ length: rounds }, () => {
        const began = performance.now();
        insert.run(row);
        insert.run(row);
        return performance.now() - began;
      }),
    [Symbol.dispose]: () => db.close(),
  };
}

/** The value below which `share` (0 to 1) of the values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
