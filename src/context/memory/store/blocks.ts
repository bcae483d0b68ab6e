/** What was logged, read back: each block is held against its hash before a byte of it is given out. */
import { hash } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import { z } from 'zod';
import type { Database } from './database.ts';

/** A block never holds more: what says otherwise is damaged. */
const mostBytes = 16 * 1024 * 1024;

const blockRow = z.object({
  start: z.int(),
  bytes: z.int(),
  hash: z.instanceof(Uint8Array),
  data: z.instanceof(Uint8Array),
});

export interface ReadBlock {
  readonly start: number;
  readonly length: number;
  /** Undefined where it is damaged. */
  readonly bytes: Buffer | undefined;
}

/** The block of a content that holds this byte. */
export function blockAt(db: Database, content: number, offset: number): ReadBlock | undefined {
  const stored = db.one(
    blockRow,
    `SELECT cb.start, b.bytes, b.hash, b.data FROM content_blocks cb JOIN blocks b ON b.id = cb.block
     WHERE cb.content = ? AND cb.start <= ? ORDER BY cb.start DESC LIMIT 1`,
    ...[content, offset],
  );
  if (!stored || offset >= stored.start + stored.bytes) return undefined;
  return { start: stored.start, length: stored.bytes, bytes: unpack(stored) };
}

function unpack({ data, bytes, hash: digest }: z.infer<typeof blockRow>): Buffer | undefined {
  try {
    const unpacked = zstdDecompressSync(data, { maxOutputLength: mostBytes });
    return unpacked.length === bytes && hash('sha256', unpacked, 'buffer').equals(digest) ? unpacked : undefined;
  } catch {
    return undefined; // no zstd frame any more: the same as bytes of another hash
  }
}

const partRow = z.object({
  ...{ id: z.int(), n: z.int(), start: z.int(), length: z.int(), line: z.int(), label: z.string(), text: z.int() },
});
export type StoredPart = z.infer<typeof partRow>;

export function partsFrom(db: Database, content: number, n: number, limit: number): StoredPart[] {
  return db.all(
    partRow,
    'SELECT id, n, start, length, line, label, text FROM parts WHERE content = ? AND n >= ? ORDER BY n LIMIT ?',
    ...[content, n, limit],
  );
}

/** Reads parts one after another; a block is unpacked once for all of its parts that are next to each other. */
export function partReader(db: Database, content: number): (part: StoredPart) => Buffer | undefined {
  let block: ReadBlock | undefined;
  return ({ start, length }) => {
    if (!block || start < block.start || start >= block.start + block.length) block = blockAt(db, content, start);
    const from = start - (block?.start ?? 0);
    return block?.bytes?.subarray(from, from + length);
  };
}
