/** How much is remembered, and what it costs on disk. */
import { z } from 'zod';
import { type Database, spaceIds } from '../store/index.ts';
import { behind } from './catch-up.ts';

export interface MemoryStats {
  readonly entries: number;
  readonly parts: number;
  /** Of content, each as often as it was logged. */
  readonly bytes: number;
  /** Blocks on disk, compressed and each once. */
  readonly stored: number;
  readonly forgotten: number;
  readonly unindexed: number;
  readonly spaces: readonly { readonly space: string; readonly entries: number; readonly bytes: number }[];
  readonly kinds: readonly { readonly kind: string; readonly entries: number; readonly bytes: number }[];
}

const spaceRow = z.object({ space: z.string(), entries: z.int(), bytes: z.int() });
const kindRow = z.object({ kind: z.string(), entries: z.int(), bytes: z.int() });
const countRow = z.object({ count: z.int() });

export function statsOf(db: Database, spaces: readonly string[]): MemoryStats {
  const here = JSON.stringify(spaceIds(db, spaces));
  const inSpaces = 'e.space IN (SELECT value FROM json_each(?))';
  const count = (sql: string): number => db.one(countRow, sql, here)?.count ?? 0;
  const from = `FROM entries e JOIN contents c ON c.id = e.content JOIN spaces s ON s.id = e.space WHERE ${inSpaces}`;
  const bySpace = db.all(
    spaceRow,
    `SELECT s.name AS space, count(*) AS entries, sum(c.bytes) AS bytes ${from} GROUP BY s.name ORDER BY s.name`,
    here,
  );
  const contents = `SELECT DISTINCT e.content FROM entries e WHERE ${inSpaces}`;
  return {
    entries: bySpace.reduce((sum, { entries }) => sum + entries, 0),
    parts: count(`SELECT coalesce(sum(c.parts), 0) AS count ${from}`),
    bytes: bySpace.reduce((sum, { bytes }) => sum + bytes, 0),
    stored: count(
      `SELECT coalesce(sum(length(data)), 0) AS count FROM blocks WHERE id IN
       (SELECT block FROM content_blocks WHERE content IN (${contents}))`,
    ),
    forgotten: count('SELECT count(*) AS count FROM tombstones WHERE space IN (SELECT value FROM json_each(?))'),
    unindexed: behind(db),
    spaces: bySpace,
    kinds: db.all(
      kindRow,
      `SELECT c.kind, count(*) AS entries, sum(c.bytes) AS bytes ${from} GROUP BY c.kind ORDER BY entries DESC, c.kind`,
      here,
    ),
  };
}
