/** The ledger in numbers. */
import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '../../../kernel/index.ts';
import type { EntryKind } from '../../../schemas/index.ts';
import { tailStartSql } from '../store/index.ts';

export interface LedgerStats {
  readonly entries: number;
  /** Bytes on disk, the write-ahead log included. */
  readonly bytes: number;
  readonly byKind: Readonly<Partial<Record<EntryKind, number>>>;
  /** How many entries are open. */
  readonly open: number;
  /** How many signed heads are kept. */
  readonly heads: number;
  /** RFC 3339; absent while the ledger is empty. */
  readonly firstAt?: string;
  readonly lastAt?: string;
}

export function readStats(path: string, db: DatabaseSync, open: number): LedgerStats {
  const all = (sql: string): [string, number][] =>
    db
      .prepare(sql)
      .all()
      .map((row) => [String(row['key']), Number(row['n'])]);
  const byKind = all(`SELECT kind AS key, sum(entries) AS n FROM (SELECT kind, entries FROM counts
    UNION ALL SELECT kind, 1 FROM entries WHERE seq >= ${tailStartSql}) GROUP BY kind ORDER BY kind`);
  const sums = new Map(
    all(`SELECT 'heads' AS key, count(*) AS n FROM heads
      UNION ALL SELECT 'entries', ifnull(max(seq) + 1, 0) FROM entries`),
  );
  const atOf = (order: string): string | undefined => {
    const at = db.prepare(`SELECT at FROM entries ORDER BY seq ${order} LIMIT 1`).get()?.['at'];
    return at === undefined ? undefined : isoTime(Number(at));
  };
  const [firstAt, lastAt] = [atOf('ASC'), atOf('DESC')];
  return {
    entries: sums.get('entries') ?? 0,
    bytes: fileBytes(path) + fileBytes(`${path}-wal`),
    byKind: Object.fromEntries(byKind),
    open,
    heads: sums.get('heads') ?? 0,
    ...(firstAt && lastAt ? { firstAt, lastAt } : {}),
  };
}

function fileBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
