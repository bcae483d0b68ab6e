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
  open(id: string, seq: number): void;
  close(id: string): void;
  count(kind: string, added: number): void;
}

export function writeStatements(db: DatabaseSync): Writes {
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const entry = db.prepare('INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const facet = db.prepare('INSERT OR IGNORE INTO facets VALUES (?, ?)');
  const tile = db.prepare('INSERT OR REPLACE INTO tiles VALUES (?, ?, ?)');
  const dropHead = db.prepare('DELETE FROM heads WHERE size = ?');
  const head = db.prepare('INSERT INTO heads VALUES (?, ?)');
  const claim = db.prepare('INSERT INTO claims VALUES (?, ?)');
  const open = db.prepare('INSERT INTO open VALUES (?, ?)');
  const close = db.prepare('DELETE FROM open WHERE id = ?');
  const count = db.prepare(`INSERT INTO counts VALUES (?, ?)
    ON CONFLICT (kind) DO UPDATE SET entries = entries + excluded.entries`);
  const blockOf = (seq: number): number => Math.floor(seq / blockSize);

  return {
    begin: () => void begin.run(),
    commit: () => void commit.run(),
    rollback: () => {
      if (db.isTransaction) db.exec('ROLLBACK');
    },
    entry: ({ seq, id, parent, kind, run, agent, at, leaf, bytes }) =>
      void entry.run(seq, id, parent ?? null, kind, run ?? null, agent ?? null, at, leaf, bytes),
    facet: (name, seq) => void facet.run(name, blockOf(seq)),
    tile: (level, index, hashes) => void tile.run(level, index, hashes),
    head(size, note, previousSize) {
      if (blockOf(size) === blockOf(previousSize)) dropHead.run(previousSize);
      head.run(size, note);
    },
    claim: (text, seq) => void claim.run(text, seq),
    open: (id, seq) => void open.run(id, seq),
    close: (id) => void close.run(id),
    count: (kind, added) => void count.run(kind, added),
  };
}
