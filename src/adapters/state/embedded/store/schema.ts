/** The tables of the state file, the way from an older format, and the refusal of a file that is not ours or is newer than we are. */
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { stateCorrupt, stateUnavailable } from './faults.ts';

const currentVersion = 3;
/** "agst": tells our file from another program's. */
const applicationId = 0x61677374;

const headerRow = z.object({ version: z.int(), application: z.int(), tables: z.int() });

/**
 * Brings an open file to the current version.
 *
 * Fencing tokens and event numbers of a new file start at the clock's microseconds. Nobody grants a million locks a
 * second, so a file that replaces a damaged or deleted one goes on above everything the old one gave out.
 */
export function migrate(db: DatabaseSync, path: string, now: number): void {
  if (formatOf(db, path) === currentVersion) return;
  db.exec('BEGIN IMMEDIATE');
  // Another process may have been first while we waited.
  const format = formatOf(db, path);
  if (format === 0) create(db, now * 1000);
  if (format === 1) fromFirst(db);
  if (format === 1 || format === 2) fromSecond(db);
  db.exec('COMMIT');
}

/** 0 for an empty file. @throws AgovError where it is not ours, or newer than we are */
function formatOf(db: DatabaseSync, path: string): number {
  const header = headerRow.parse(
    db
      .prepare(
        `SELECT (SELECT user_version FROM pragma_user_version) AS version,
                (SELECT application_id FROM pragma_application_id) AS application,
                (SELECT count(*) FROM sqlite_schema) AS tables`,
      )
      .get(),
  );
  if (header.tables === 0 && header.version === 0) return 0;
  if (header.application !== applicationId) throw stateCorrupt(path, 'It is a database, but not one of agov state.');
  if (header.version > currentVersion) {
    throw stateUnavailable(
      path,
      `has format ${header.version}; this agov knows formats up to ${currentVersion}.`,
      'Use the agov that wrote it, or a newer one.',
    );
  }
  if (header.version < 1) throw stateCorrupt(path, `It claims format ${header.version}, which never was.`);
  return header.version;
}

/** The first format knew no runs, only intents. What it lists is driven by an older agov, which stops without its list. */
function fromFirst(db: DatabaseSync): void {
  db.exec(`DROP TABLE runs; ${runTables}`);
}

/** The second knew no agents that were started by agents. */
function fromSecond(db: DatabaseSync): void {
  db.exec(`ALTER TABLE agents ADD COLUMN parent TEXT; PRAGMA user_version = ${currentVersion};`);
}

const runTables = `
    CREATE TABLE runs (
      intent TEXT PRIMARY KEY, run TEXT NOT NULL, agent TEXT NOT NULL, host TEXT NOT NULL, sandbox TEXT NOT NULL,
      governor_pid INTEGER NOT NULL, process_group INTEGER NOT NULL, process_start TEXT NOT NULL,
      started_at INTEGER NOT NULL, beat_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE stopped (run TEXT PRIMARY KEY, reason TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

function create(db: DatabaseSync, floor: number): void {
  db.exec(`
    CREATE TABLE agents (
      name TEXT PRIMARY KEY, tier TEXT NOT NULL, status TEXT NOT NULL, operator TEXT NOT NULL,
      created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL, reason TEXT, parent TEXT
    ) STRICT, WITHOUT ROWID;
    ${runTables}
    CREATE TABLE fence (id INTEGER PRIMARY KEY CHECK (id = 1), token INTEGER NOT NULL) STRICT;
    CREATE TABLE locks (
      name TEXT PRIMARY KEY, owner TEXT NOT NULL, token INTEGER NOT NULL, expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX locks_by_end ON locks (expires_at);
    CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE board (key TEXT PRIMARY KEY, value TEXT, version INTEGER NOT NULL) STRICT;
    CREATE TABLE events (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, topic TEXT NOT NULL, body TEXT NOT NULL
    ) STRICT;
    INSERT INTO fence (id, token) VALUES (1, ${floor});
    INSERT INTO sqlite_sequence (name, seq) VALUES ('events', ${floor});
    PRAGMA application_id = ${applicationId};
    PRAGMA user_version = ${currentVersion};
  `);
}
