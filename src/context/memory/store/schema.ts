/** The tables of `memory.db`. docs/MEMORY_LAYER.md tells other tools what they mean. */
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { memoryCorrupt, memoryUnavailable } from './faults.ts';

const currentVersion = 1;
/** "agme": tells our file from another program's. */
const applicationId = 0x61676d65;

const headerRow = z.object({ version: z.int(), application: z.int(), tables: z.int() });

/** Makes the tables of a new file. @throws AgovError where the file is not ours, or newer than we are */
export function migrate(db: DatabaseSync, path: string): void {
  if (formatOf(db, path) === currentVersion) return;
  // Freed pages may be given back to the disk; can be chosen for an empty file alone.
  db.exec('PRAGMA auto_vacuum = INCREMENTAL; BEGIN IMMEDIATE');
  // Another process may have been first while we waited.
  if (formatOf(db, path) === 0) db.exec(tables);
  db.exec('COMMIT');
}

/** 0 for an empty file. */
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
  if (header.application !== applicationId) throw memoryCorrupt(path, 'It is a database, but not one of agov memory.');
  if (header.version > currentVersion) {
    throw memoryUnavailable(
      path,
      `has format ${header.version}; this agov knows formats up to ${currentVersion}.`,
      'Use the agov that wrote it, or a newer one.',
    );
  }
  if (header.version < 1) throw memoryCorrupt(path, `It claims format ${header.version}, which never was.`);
  return header.version;
}

/*
 * `contents` is what was logged, once for equal bytes. It lies in `blocks`, each a zstd frame under the SHA-256 of what it
 * holds. `parts` are its stretches between natural borders, and what `words` finds: `words` keeps no text, so that the
 * text of a part has to be given to take it out again. `indexed` parts of a content are in `words`.
 */
const tables = `
  CREATE TABLE spaces (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE contents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL CHECK (state IN ('staging', 'whole', 'erasing')),
    hash BLOB, kind TEXT NOT NULL,
    bytes INTEGER NOT NULL, lines INTEGER NOT NULL, parts INTEGER NOT NULL, indexed INTEGER NOT NULL,
    writer TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX contents_by_hash ON contents (hash, kind) WHERE state = 'whole';
  CREATE INDEX contents_unfinished ON contents (id) WHERE state <> 'whole' OR indexed < parts;
  CREATE TABLE blocks (
    id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, bytes INTEGER NOT NULL, data BLOB NOT NULL
  ) STRICT;
  CREATE TABLE content_blocks (
    content INTEGER NOT NULL, start INTEGER NOT NULL, block INTEGER NOT NULL, PRIMARY KEY (content, start)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX content_blocks_by_block ON content_blocks (block);
  CREATE TABLE parts (
    id INTEGER PRIMARY KEY, content INTEGER NOT NULL, n INTEGER NOT NULL,
    start INTEGER NOT NULL, length INTEGER NOT NULL, line INTEGER NOT NULL, label TEXT NOT NULL, text INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX parts_by_place ON parts (content, n);
  CREATE TABLE entries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, backwards TEXT NOT NULL,
    space INTEGER NOT NULL, content INTEGER NOT NULL, title TEXT NOT NULL,
    at INTEGER NOT NULL, expires_at INTEGER, by_agent TEXT, by_operator TEXT, run TEXT, redacted TEXT NOT NULL
  ) STRICT;
  CREATE INDEX entries_by_space ON entries (space, seq);
  CREATE INDEX entries_by_content ON entries (content);
  CREATE INDEX entries_by_end_of_id ON entries (backwards);
  CREATE INDEX entries_by_expiry ON entries (expires_at) WHERE expires_at IS NOT NULL;
  CREATE INDEX entries_by_agent ON entries (by_agent, seq) WHERE by_agent IS NOT NULL;
  CREATE TABLE tags (tag TEXT NOT NULL, entry INTEGER NOT NULL, PRIMARY KEY (tag, entry)) STRICT, WITHOUT ROWID;
  CREATE INDEX tags_by_entry ON tags (entry);
  CREATE TABLE links (
    source TEXT NOT NULL, target TEXT NOT NULL, relation TEXT NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL,
    PRIMARY KEY (source, target, relation)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX links_by_target ON links (target);
  CREATE TABLE tombstones (
    id TEXT PRIMARY KEY, backwards TEXT NOT NULL, space INTEGER NOT NULL, hash BLOB NOT NULL,
    logged_at INTEGER NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL, reason TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tombstones_by_end_of_id ON tombstones (backwards);
  CREATE TABLE vectors (
    part INTEGER NOT NULL, model TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (model, part)
  ) STRICT, WITHOUT ROWID;
  CREATE VIRTUAL TABLE words USING fts5(label, text, content = '', tokenize = 'unicode61 remove_diacritics 2');
  CREATE VIRTUAL TABLE titles USING fts5(title, tags, content = '', tokenize = 'unicode61 remove_diacritics 2');
  INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
  INSERT INTO titles (titles, rank) VALUES ('secure-delete', 1);
  INSERT INTO words (words, rank) VALUES ('hashsize', 16777216);
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${currentVersion};
`;
