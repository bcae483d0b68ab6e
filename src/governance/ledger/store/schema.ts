/** The ledger's tables. `user_version` is the format: a newer one is refused, never guessed at. */
export const formatVersion = 1;
/** `agvl`: tells a ledger from other SQLite files. */
export const applicationId = 0x6167766c;

/**
 * A commit costs what it writes: a page less is some 15 µs less. So an append writes the entry and the head, and what
 * finds entries again (`ids`, `children`, `open`, `counts`) is brought up to date once a group of entries is full, in the
 * transaction that fills it. The unfinished group is the tail, which searches look through row by row.
 * `opens` and `closes` keep what the tail does to `open`. Searches by run, agent and kind go through `facets`, which says
 * once a block of 256 entries that the block holds such an entry.
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
  bytes BLOB NOT NULL,
  opens INTEGER,
  closes TEXT
) STRICT;
CREATE TABLE ids (id TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE children (
  parent TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (parent, seq)
) STRICT, WITHOUT ROWID;
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

const groupSize = 32;

/** The number of the first entry of the tail in a log of `size` entries. */
export function tailStart(size: number): number {
  return size - (size % groupSize);
}

/** The same in SQL, of the log as the statement finds it. */
export const tailStartSql = `(SELECT (max(seq) + 1) / ${groupSize} * ${groupSize} FROM entries)`;
