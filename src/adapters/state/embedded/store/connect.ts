/** Opens the state file: private to its owner, in WAL mode, of a format we know, and whole as far as is cheap to see. */
import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { systemCode } from '../../../../kernel/index.ts';
import { stateCorrupt, stateUnavailable } from './faults.ts';
import { migrate } from './schema.ts';

const busyTimeoutMs = 5000;
/** 4 MiB of default pages: checked in about 2 ms. Damage in a larger file shows when the damaged page is read. */
const quickCheckPages = 1024;

const pageCountRow = z.object({ page_count: z.int() });
const quickCheckRow = z.object({ quick_check: z.string() });

/** @throws AgovError STATE_CORRUPT, STATE_UNAVAILABLE, and what SQLite and the file system throw */
export function connect(path: string, now: number, mode: 'create' | 'existing'): DatabaseSync {
  if (mode === 'create') createFile(path);
  else if (fileIdentity(path) === 'none') {
    throw stateUnavailable(path, 'is gone.', 'Run "agov state rebuild": it rebuilds state from the ledger.');
  }
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);

  const db = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: false });
  try {
    db.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA synchronous = NORMAL');
    // First, so that a file that is not ours is refused before WAL mode would change its header.
    migrate(db, path, now);
    db.exec('PRAGMA journal_mode = WAL');
    quickCheck(db, path);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Which file lies at `path`: equal texts, same file. */
export function fileIdentity(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.dev}:${stat.ino}` : 'none';
}

/**
 * Creates the file with its mode, which SQLite then gives to `-wal` and `-shm`. An existing file is never opened here:
 * closing any descriptor of it would drop the POSIX locks of this process's other connections.
 */
function createFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

function quickCheck(db: DatabaseSync, path: string): void {
  const { page_count } = pageCountRow.parse(db.prepare('PRAGMA page_count').get());
  if (page_count > quickCheckPages) return;
  const { quick_check } = quickCheckRow.parse(db.prepare('PRAGMA quick_check(1)').get());
  if (quick_check !== 'ok') throw stateCorrupt(path, `SQLite says: ${quick_check}.`);
}
