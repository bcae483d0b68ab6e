/**
 * Writes content in batches before its entry is there. Staged content is seen by nobody; the last batch, the turn to
 * `whole` and the entry are one transaction. What a writer that died has left, `gc` takes.
 */
import { hash } from 'node:crypto';
import { constants, zstdCompressSync } from 'node:zlib';
import { z } from 'zod';
import { governorMark } from '../../../governance/governor/index.ts';
import { addWords, type Database } from '../store/index.ts';
import { eraseContent } from '../upkeep/erase.ts';
import type { Block } from './blocks.ts';
import type { Kind } from './kind.ts';

/** Here, and not on the threads beside: for blocks of this size these cost four times as much, most of it in handing over. */
const frame = { params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 } };

/** Bytes of content in one transaction. */
const batchBytes = 4 * 1024 * 1024;
/** Content is indexed as it is written up to here; what comes after is indexed by whoever looks next. */
const indexedAtOnce = 4 * 1024 * 1024;

export interface Staging {
  add(block: Block): void;
  /** Writes what is left, and whatever `entry` writes, in one durable transaction. The content's id. */
  finish(whole: Whole, entry: (content: number) => void): number;
  /** Leaves nothing. */
  abandon(): void;
}

export interface Whole {
  readonly kind: Kind;
  readonly sha256: Uint8Array;
  readonly bytes: number;
  readonly lines: number;
}

interface Packed {
  readonly block: Block;
  readonly hash: Uint8Array;
  readonly data: Uint8Array;
}

const idRow = z.object({ id: z.int() });
const indexedRow = z.object({ indexed: z.int() });

export function stageContent(db: Database): Staging {
  let batch: Packed[] = [];
  let batched = 0;
  let content: number | undefined;
  let parts = 0;
  let indexed = 0;
  let written = 0;

  /** Inside a transaction. */
  function writeBatch(kind: Kind): number {
    const at = content ?? begin(db, kind);
    // An index that was made anew meanwhile has none of it.
    indexed = db.one(indexedRow, 'SELECT indexed FROM contents WHERE id = ?', at)?.indexed ?? 0;
    for (const { block, hash, data } of batch) {
      const known = db.one(idRow, 'SELECT id FROM blocks WHERE hash = ?', hash);
      const { length } = block.bytes;
      const stored =
        known?.id ?? db.run('INSERT INTO blocks (hash, bytes, data) VALUES (?, ?, ?)', hash, length, data).id;
      db.run('INSERT INTO content_blocks (content, start, block) VALUES (?, ?, ?)', at, block.start, stored);
      const inTime = indexed === parts && written < indexedAtOnce;
      for (const part of block.parts) {
        const { start, length, line, label, bytes, text } = part;
        const { id } = db.run(
          'INSERT INTO parts (content, n, start, length, line, label, text) VALUES (?, ?, ?, ?, ?, ?, ?)',
          ...[at, parts, start, length, line, label, text ? 1 : 0],
        );
        parts += 1;
        if (!inTime) continue;
        if (text) addWords(db, id, label, bytes.toString('utf8'));
        indexed += 1;
      }
      written += length;
    }
    // By these a later gc knows what there is to erase.
    db.run('UPDATE contents SET parts = ?, indexed = ?, bytes = ? WHERE id = ?', parts, indexed, written, at);
    batch = [];
    batched = 0;
    return at;
  }

  return {
    add(block) {
      const { bytes } = block;
      batch.push({ block, hash: hash('sha256', bytes, 'buffer'), data: zstdCompressSync(bytes, frame) });
      batched += bytes.length;
      if (batched >= batchBytes) content = db.write(() => writeBatch(block.kind));
    },
    finish({ kind, sha256, bytes, lines }, entry) {
      const staged = content;
      const finished = db.write(() => {
        const known = db.one(
          idRow,
          `SELECT id FROM contents WHERE hash = ? AND kind = ? AND state = 'whole'`,
          ...[sha256, kind],
        );
        if (known) {
          abandonIn(db, content);
          entry(known.id);
          return known.id;
        }
        const at = writeBatch(kind);
        db.run(
          `UPDATE contents SET state = 'whole', hash = ?, bytes = ?, lines = ? WHERE id = ?`,
          ...[sha256, bytes, lines, at],
        );
        entry(at);
        return at;
      }, 'durable');
      content = undefined;
      if (staged !== undefined && staged !== finished) eraseContent(db, staged);
      return finished;
    },
    abandon() {
      batch = [];
      const staged = content;
      content = undefined;
      if (staged === undefined) return;
      db.write(() => abandonIn(db, staged));
      eraseContent(db, staged);
    },
  };
}

function begin(db: Database, kind: Kind): number {
  const writer = JSON.stringify(governorMark());
  return db.run(
    `INSERT INTO contents (state, kind, bytes, lines, parts, indexed, writer) VALUES ('staging', ?, 0, 0, 0, 0, ?)`,
    ...[kind, writer],
  ).id;
}

/** Inside a transaction. What is marked so is seen by nobody, and erased by the next gc at the latest. */
function abandonIn(db: Database, content: number | undefined): void {
  if (content !== undefined) db.run(`UPDATE contents SET state = 'erasing' WHERE id = ?`, content);
}
