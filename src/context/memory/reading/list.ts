/** Entries, the newest first, page by page: each page costs what it shows, however many there are. */
import { type Database, type MemoryEntry, selectEntries } from '../store/index.ts';
import { type EntryFilter, filterSql } from './filter.ts';
import { findEntry } from './find.ts';

export interface ListQuery extends EntryFilter {
  readonly limit: number;
  /** Only entries before this one: the last of the page before. */
  readonly before?: string;
}

export interface ListPage {
  readonly entries: readonly MemoryEntry[];
  /** There are more behind the last one. */
  readonly more: boolean;
}

export function listEntries(db: Database, spaces: readonly string[], query: ListQuery): ListPage {
  const { limit, before } = query;
  const { sql, values } = filterSql(db, spaces, query);
  const end = before === undefined ? Number.MAX_SAFE_INTEGER : findEntry(db, spaces, before).seq;
  const where = `WHERE ${sql} AND e.seq < ? ORDER BY e.seq DESC LIMIT ?`;
  const found = selectEntries(db, where, ...values, end, limit + 1);
  return { entries: found.slice(0, limit).map(({ entry }) => entry), more: found.length > limit };
}
