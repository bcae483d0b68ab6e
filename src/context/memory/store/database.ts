/**
 * The memory file as the rest of this part sees it: rows that are parsed, writes that are whole. It is private to its
 * owner, in WAL mode, and what is erased in it is overwritten.
 */
import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { z } from 'zod';
import { type Env, systemCode } from '../../../kernel/index.ts';
import { isBusy, memoryCorrupt, memoryFault } from './faults.ts';
import { migrate } from './schema.ts';

export type { SQLInputValue };

export interface Database extends Disposable {
  all<T>(row: z.ZodType<T>, sql: string, ...values: SQLInputValue[]): T[];
  one<T>(row: z.ZodType<T>, sql: string, ...values: SQLInputValue[]): T | undefined;
  /** Rows changed and the id of the last one inserted. */
  run(sql: string, ...values: SQLInputValue[]): { readonly changes: number; readonly id: number };
  /**
   * One transaction that holds the write lock from its start. `durable`: on disk before it returns; otherwise the last
   * few may be lost with the power, though never torn.
   */
  write<T>(body: () => T, durability?: 'durable'): T;
  /** Moves the log into the file and empties it, so that what was erased is nowhere. False where a reader is in the way. */
  flushLog(): boolean;
  /** From now on more of the file is kept in memory. Not from the start: a writer only passes on what it holds. */
  expectReads(): void;
  /** Loads an extension of SQLite. */
  load(path: string): void;
}

/** Fifty processes that write at once wait for each other this long at most. */
const busyTimeoutMs = 60_000;
const openAttempts = 200;
const openPauseMs = 20;
/** What a search over a million parts comes back to again and again. */
const readingKibibytes = 65_536;

/** @throws AgovError MEMORY_CORRUPT, MEMORY_UNAVAILABLE, NOT_WRITABLE, DISK_FULL */
export async function openDatabase(path: string, env: Env): Promise<Database> {
  for (let attempt = 1; ; attempt++) {
    try {
      return database(path, connect(path));
    } catch (error) {
      // SQLite does not wait by itself while another process turns a new file to WAL.
      if (!isBusy(error) || attempt === openAttempts) throw memoryFault(path, error);
      await env.sleep(openPauseMs);
    }
  }
}

function connect(path: string): DatabaseSync {
  createFile(path);
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
  const db = new DatabaseSync(path, {
    timeout: busyTimeoutMs,
    allowExtension: true,
    enableForeignKeyConstraints: false,
  });
  // Not by SQL, ever: by `load` alone, and only while it does.
  db.enableLoadExtension(false);
  try {
    db.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA secure_delete = ON');
    // First, so that a file that is not ours is refused before WAL mode would change its header.
    migrate(db, path);
    db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16000; PRAGMA wal_autocheckpoint = 4000',
    );
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Creates the file with its mode, which SQLite then gives to `-wal` and `-shm`. */
function createFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

function database(path: string, db: DatabaseSync): Database {
  const statements = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known) return known;
    const statement = db.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  const guarded = <T>(body: () => T): T => {
    try {
      return body();
    } catch (error) {
      throw memoryFault(path, error);
    }
  };
  const parse = <T>(row: z.ZodType<T>, value: unknown): T => {
    const parsed = row.safeParse(value);
    if (parsed.success) return parsed.data;
    const places = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
    throw memoryCorrupt(path, `A stored row does not have the shape it must have (${places}).`);
  };
  let closed = false;
  let reading = false;

  return {
    all: (row, sql, ...values) =>
      guarded(() =>
        prepare(sql)
          .all(...values)
          .map((value) => parse(row, value)),
      ),
    one: (row, sql, ...values) =>
      guarded(() => {
        const value = prepare(sql).get(...values);
        return value === undefined ? undefined : parse(row, value);
      }),
    run: (sql, ...values) =>
      guarded(() => {
        const { changes, lastInsertRowid } = prepare(sql).run(...values);
        return { changes: Number(changes), id: Number(lastInsertRowid) };
      }),
    write: (body, durability) => guarded(() => transaction(db, body, durability === 'durable')),
    flushLog: () =>
      guarded(() => {
        const row = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
        return row?.['busy'] === 0;
      }),
    expectReads: () =>
      guarded(() => {
        if (!reading) db.exec(`PRAGMA cache_size = -${readingKibibytes}`);
        reading = true;
      }),
    load: (file) =>
      guarded(() => {
        db.enableLoadExtension(true);
        try {
          db.loadExtension(file);
        } finally {
          db.enableLoadExtension(false);
        }
      }),
    [Symbol.dispose]() {
      if (closed) return;
      closed = true;
      db.close();
    },
  };
}

function transaction<T>(db: DatabaseSync, body: () => T, durable: boolean): T {
  // In WAL mode FULL syncs the log at this commit, and with it every commit before.
  if (durable) db.exec('PRAGMA synchronous = FULL');
  try {
    db.exec('BEGIN IMMEDIATE');
    try {
      const result = body();
      db.exec('COMMIT');
      return result;
    } catch (error) {
      // Some failures, a full disk among them, have rolled back already.
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  } finally {
    if (durable) db.exec('PRAGMA synchronous = NORMAL');
  }
}
