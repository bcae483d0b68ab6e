/** The secrets file: private to its owner, every commit on disk before it is acknowledged, every row parsed. */
import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { z } from 'zod';
import { type Env, systemCode } from '../../../../kernel/index.ts';
import { fileDamaged, isBusy, secretsFault, secretsUnavailable } from './faults.ts';

export interface Database extends Disposable {
  readonly file: string;
  all<T>(row: z.ZodType<T>, sql: string, ...values: SQLInputValue[]): T[];
  one<T>(row: z.ZodType<T>, sql: string, ...values: SQLInputValue[]): T | undefined;
  run(sql: string, ...values: SQLInputValue[]): void;
  /** One transaction that holds the write lock from its start. */
  write<T>(body: () => T): T;
}

const formatVersion = 1;
/** "agse": tells our file from another program's. */
const applicationId = 0x61677365;
const busyTimeoutMs = 5000;
const openAttempts = 50;
const openPauseMs = 20;

const headerRow = z.object({ version: z.int(), application: z.int(), tables: z.int() });

/** @throws AgovError SECRETS_UNAVAILABLE */
export async function openDatabase(file: string, env: Env): Promise<Database> {
  for (let attempt = 1; ; attempt++) {
    try {
      createFile(file);
      return database(file, connect(file));
    } catch (error) {
      // SQLite does not wait by itself while another process turns a new file to WAL.
      if (!isBusy(error) || attempt === openAttempts) throw secretsFault(file, error);
      await env.sleep(openPauseMs);
    }
  }
}

/** An existing file is not opened here: closing a descriptor would drop the locks of our other connections to it. */
function createFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
}

function connect(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs, enableForeignKeyConstraints: false });
  try {
    db.exec('PRAGMA trusted_schema = OFF; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON');
    if (!isCurrent(db, file)) {
      db.exec('BEGIN IMMEDIATE');
      if (!isCurrent(db, file)) create(db);
      db.exec('COMMIT');
    }
    db.exec('PRAGMA journal_mode = WAL');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function isCurrent(db: DatabaseSync, file: string): boolean {
  const sql = `SELECT (SELECT user_version FROM pragma_user_version) AS version,
                      (SELECT application_id FROM pragma_application_id) AS application,
                      (SELECT count(*) FROM sqlite_schema) AS tables`;
  const header = headerRow.parse(db.prepare(sql).get());
  if (header.tables === 0 && header.version === 0) return false;
  if (header.application !== applicationId) throw fileDamaged(file, 'It is a database, but not one of agov secrets.');
  if (header.version === formatVersion) return true;
  if (header.version < formatVersion) throw fileDamaged(file, `It claims format ${header.version}, which never was.`);
  throw secretsUnavailable(
    `The secrets file ${file} has format ${header.version}; this agov knows formats up to ${formatVersion}.`,
    'Use the agov that wrote it, or a newer one.',
  );
}

function create(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE catalogue (
      id INTEGER PRIMARY KEY CHECK (id = 1), key_check BLOB NOT NULL, nonce BLOB NOT NULL, sealed BLOB NOT NULL
    ) STRICT;
    CREATE TABLE secret_values (path TEXT PRIMARY KEY, nonce BLOB NOT NULL, sealed BLOB NOT NULL) STRICT;
    CREATE TABLE leases (
      id TEXT PRIMARY KEY, path TEXT NOT NULL, version INTEGER NOT NULL, intent TEXT NOT NULL,
      issued_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
    ) STRICT;
    PRAGMA application_id = ${applicationId};
    PRAGMA user_version = ${formatVersion};
  `);
}

function database(file: string, db: DatabaseSync): Database {
  const opened = statSync(file).ino;
  const guarded = <T>(body: () => T): T => {
    if (!db.isOpen) throw secretsUnavailable(`The secrets file ${file} has been closed.`, 'Open it again.');
    if (statSync(file, { throwIfNoEntry: false })?.ino !== opened) {
      throw secretsUnavailable(`The secrets file ${file} was moved or replaced.`, 'Start this agov process again.');
    }
    try {
      return body();
    } catch (error) {
      throw secretsFault(file, error);
    }
  };
  const parse = <T>(row: z.ZodType<T>, value: unknown): T => {
    const parsed = row.safeParse(value);
    if (parsed.success) return parsed.data;
    const places = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
    throw fileDamaged(file, `A stored row does not have the shape it must have (${places}).`);
  };

  return {
    file,
    all: (row, sql, ...values) =>
      guarded(() =>
        db
          .prepare(sql)
          .all(...values)
          .map((value) => parse(row, value)),
      ),
    one: (row, sql, ...values) =>
      guarded(() => {
        const value = db.prepare(sql).get(...values);
        return value === undefined ? undefined : parse(row, value);
      }),
    run: (sql, ...values) => {
      guarded(() => db.prepare(sql).run(...values));
    },
    write: (body) =>
      guarded(() => {
        db.exec('BEGIN IMMEDIATE');
        try {
          const result = body();
          db.exec('COMMIT');
          return result;
        } finally {
          if (db.isTransaction) db.exec('ROLLBACK');
        }
      }),
    [Symbol.dispose]() {
      if (db.isOpen) db.close();
    },
  };
}
