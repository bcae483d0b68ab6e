/** Opens the ledger's SQLite file: private, in WAL with full sync, of a format that this code knows. */
import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { AgovError, type Env } from '../../../kernel/index.ts';
import { brokenLedger, isBusy, ledgerFault, sqliteCode } from './faults.ts';
import { applicationId, formatVersion, schema } from './schema.ts';

/** SQLite's own wait for a lock, which blocks the thread; longer waits are ours, and do not. */
const blockingWaitMs = 50;
const cannotOpen = 14;

export interface DatabaseOptions {
  readonly path: string;
  readonly env: Env;
  /** How long to wait for other processes, in milliseconds. */
  readonly busyMs: number;
}

/** Opens for appending, and creates the file if need be. `fill` runs in the transaction that makes the tables. */
export async function openForWriting(
  { path, env, busyMs }: DatabaseOptions,
  fill: (db: DatabaseSync) => void,
): Promise<DatabaseSync> {
  createFile(path);
  const deadline = env.monotonic() + busyMs;
  for (;;) {
    const db = connect(path, () => new DatabaseSync(path, { timeout: blockingWaitMs }));
    try {
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;');
      db.exec('PRAGMA cache_size = -16000; PRAGMA journal_size_limit = 67108864; PRAGMA trusted_schema = OFF;');
      prepareFormat(db, path, fill);
      return db;
    } catch (error) {
      db.close();
      // Several processes may be creating it at once; the switch to WAL does not wait by itself.
      if (!isBusy(error) || env.monotonic() > deadline) throw ledgerFault(error, path);
    }
    await env.sleep(5);
  }
}

/** Opens for reading only. @throws AgovError NOT_FOUND */
export function openForReading(path: string): DatabaseSync {
  if (!existsSync(path)) {
    throw new AgovError('NOT_FOUND', {
      what: `There is no ledger at ${path}.`,
      fix: 'Run `agov init` in the project.',
    });
  }
  const open = (location: string | URL): DatabaseSync => {
    const db = connect(path, () => new DatabaseSync(location, { readOnly: true, timeout: 1000 }));
    try {
      db.exec('PRAGMA trusted_schema = OFF;');
      checkFormat(db, path);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  };
  try {
    return open(path);
  } catch (error) {
    if (sqliteCode(error) !== cannotOpen || hasWal(path)) throw ledgerFault(error, path);
  }
  // Where not even the shared memory file can be made, nobody can be writing either.
  const immutable = pathToFileURL(path);
  immutable.searchParams.set('immutable', '1');
  try {
    return open(immutable);
  } catch (error) {
    throw ledgerFault(error, path);
  }
}

function connect(path: string, open: () => DatabaseSync): DatabaseSync {
  try {
    return open();
  } catch (error) {
    throw ledgerFault(error, path);
  }
}

function hasWal(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** SQLite gives its -wal and -shm files the mode of the file itself, so this one decides. */
function createFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'a', 0o600));
  } catch (error) {
    throw ledgerFault(error, path);
  }
}

function prepareFormat(db: DatabaseSync, path: string, fill: (db: DatabaseSync) => void): void {
  if (pragma(db, 'application_id') === applicationId) {
    checkFormat(db, path);
    return;
  }
  db.exec('BEGIN IMMEDIATE');
  try {
    if (pragma(db, 'application_id') === 0 && count(db) === 0) {
      db.exec(schema);
      fill(db);
    }
    checkFormat(db, path);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function checkFormat(db: DatabaseSync, path: string): void {
  if (pragma(db, 'application_id') !== applicationId) {
    throw brokenLedger(path, 'It is an SQLite file, but not a ledger.');
  }
  const version = pragma(db, 'user_version');
  if (version > formatVersion) {
    throw new AgovError('LEDGER_NEWER', {
      what: `The ledger ${path} has format ${version}; this agov knows ${formatVersion}.`,
      fix: 'Upgrade agov.',
    });
  }
  if (version < 1) throw brokenLedger(path, `Its format says ${version}.`);
}

function pragma(db: DatabaseSync, name: 'application_id' | 'user_version'): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}

function count(db: DatabaseSync): number {
  return Number(Object.values(db.prepare('SELECT count(*) FROM sqlite_schema').get() ?? {})[0]);
}
