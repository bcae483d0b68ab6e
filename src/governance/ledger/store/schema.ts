/** The ledger's tables. `user_version` is the format: a newer one is refused, never guessed at. */
export const formatVersion = 1;
/** `agvl`: tells a ledger from other SQLite files. */
export const applicationId = 0x6167766c;

/**
 * Two indexes only, since each costs an append about 10 %: `id` and `parent`. Searches by run, agent and kind go through
 * `facets`, which says once a block of 256 entries that the block holds such an entry.
 */
export const schema = `
CREATE TABLE entries (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  parent TEXT,
  kind TEXT NOT NULL,
  run TEXT,
  agent TEXT,
  at INTEGER NOT NULL,
  leaf BLOB NOT NULL,
  bytes BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX entries_id ON entries (id);
CREATE INDEX entries_parent ON entries (parent) WHERE parent IS NOT NULL;
CREATE TABLE facets (facet TEXT NOT NULL, block INTEGER NOT NULL, PRIMARY KEY (facet, block)) STRICT, WITHOUT ROWID;
CREATE TABLE tiles (
  level INTEGER NOT NULL, idx INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, idx)
) STRICT;
CREATE TABLE heads (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
CREATE TABLE claims (claim TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE open (id TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE counts (kind TEXT PRIMARY KEY, entries INTEGER NOT NULL) STRICT, WITHOUT ROWID;
PRAGMA application_id = ${applicationId};
PRAGMA user_version = ${formatVersion};
`;

/** How many entries share one row of `facets` a facet. */
export const blockSize = 256;
