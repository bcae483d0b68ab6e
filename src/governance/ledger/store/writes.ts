/** Everything that is written to the ledger's tables, as prepared statements for one transaction at a time. */
import type { DatabaseSync } from 'node:sqlite';
import { blockSize } from './schema.ts';

export interface NewEntry {
  readonly seq: number;
  readonly id: string;
  readonly parent: string | undefined;
  readonly kind: string;
  readonly run: string | undefined;
  readonly agent: string | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly leaf: Uint8Array;
  readonly bytes: Uint8Array;
  readonly opens: boolean;
  readonly closes: string | undefined;
}

export interface Writes {
  begin(): void;
  commit(): void;
  /** Harmless where there is no transaction. */
  rollback(): void;
  entry(entry: NewEntry): void;
  facet(facet: string, seq: number): void;
  tile(level: number, index: number, hashes: Uint8Array): void;
  /** Stores the newest head, and keeps of the older ones the last of each block of 256 entries. */
  head(size: number, note: string, previousSize: number): void;
  claim(claim: string, seq: number): void;
  /** Brings the indexes up to date with the entries from `from` up to but without `end`; `open` if any `moves` there. */
  index(from: number, end: number, moves: boolean): void;
}

export function writeStatements(db: DatabaseSync): Writes {
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const entry = db.prepare('INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const facet = db.prepare('INSERT OR IGNORE INTO facets VALUES (?, ?)');
  const tile = db.prepare('INSERT OR REPLACE INTO tiles VALUES (?, ?, ?)');
  const moveHead = db.prepare('UPDATE heads SET size = ?, note = ? WHERE size = ?');
  const head = db.prepare('INSERT INTO heads VALUES (?, ?)');
  const claim = db.prepare('INSERT INTO claims VALUES (?, ?)');
  const group = 'FROM entries WHERE seq >= ?1 AND seq < ?2';
  const index = [
    `INSERT INTO ids SELECT id, seq ${group}`,
    `INSERT INTO children SELECT parent, seq ${group} AND parent IS NOT NULL`,
    `INSERT INTO counts SELECT kind, count(*) ${group} GROUP BY kind
      ON CONFLICT (kind) DO UPDATE SET entries = entries + excluded.entries`,
  ].map((sql) => db.prepare(sql));
  const indexOpen = [
    `INSERT INTO open SELECT id, seq ${group} AND opens = 1`,
    `DELETE FROM open WHERE id IN (SELECT closes ${group} AND closes IS NOT NULL)`,
  ].map((sql) => db.prepare(sql));
  const blockOf = (seq: number): number => Math.floor(seq / blockSize);

  return {
    begin: () => void begin.run(),
    commit: () => void commit.run(),
    rollback: () => {
      if (db.isTransaction) db.exec('ROLLBACK');
    },
    entry({ seq, id, parent, kind, run, agent, at, leaf, bytes, opens, closes }) {
      const about = [parent ?? null, kind, run ?? null, agent ?? null] as const;
      entry.run(seq, id, ...about, at, leaf, bytes, opens ? 1 : null, closes ?? null);
    },
    facet: (name, seq) => void facet.run(name, blockOf(seq)),
    tile: (level, index, hashes) => void tile.run(level, index, hashes),
    head(size, note, previousSize) {
      if (blockOf(size) === blockOf(previousSize)) moveHead.run(size, note, previousSize);
      else head.run(size, note);
    },
    claim: (text, seq) => void claim.run(text, seq),
    index(from, end, moves) {
      for (const statement of index) statement.run(from, end);
      if (moves) for (const statement of indexOpen) statement.run(from, end);
    },
  };
}
