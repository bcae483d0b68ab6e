/**
 * Finds parts by their words (BM25), entries by their titles, and, where there are vectors, parts by their sense; what
 * several of them find comes first (reciprocal rank fusion, Cormack and others 2009).
 */
import { z } from 'zod';
import { type Database, type MemoryEntry, partReader, selectEntries } from '../../store/index.ts';
import { type EntryFilter, filterSql } from '../filter.ts';
import { matchOf, parseQuery } from './query.ts';
import { snippetOf } from './snippet.ts';
import { byWords, type Filter, mostKept, type Ranking } from './words.ts';

export interface SearchQuery extends EntryFilter {
  readonly text: string;
  readonly limit: number;
}

export interface SearchHit {
  readonly entry: MemoryEntry;
  /** From 1. */
  readonly part: number;
  readonly line: number;
  readonly label: string;
  readonly score: number;
  readonly snippet: string;
}

export interface Found {
  readonly hits: readonly SearchHit[];
  /** Parts that are not indexed yet, and so were not searched. */
  readonly unsearched: number;
}

/** Of titles that match, the newest so many are ranked. */
const mostRanked = 1000;
/** The constant of the paper. */
const fusion = 60;

const titleRow = z.object({ part: z.int(), entry: z.int() });
const placeRow = z.object({
  id: z.int(),
  n: z.int(),
  start: z.int(),
  length: z.int(),
  line: z.int(),
  label: z.string(),
  text: z.int(),
});
const countRow = z.object({ count: z.int() });

export function searchEntries(
  db: Database,
  spaces: readonly string[],
  query: SearchQuery,
  bySense: Ranking = [],
): Found {
  const parsed = parseQuery(query.text);
  db.expectReads();
  const filter = filterSql(db, spaces, query);
  const fused = new Map<string, { part: number; entry: number; score: number }>();
  for (const ranking of [byWords(db, parsed, filter), byTitle(db, matchOf(parsed), filter), bySense]) {
    for (const [rank, { part, entry }] of ranking.entries()) {
      const key = `${entry}/${part}`;
      const known = fused.get(key) ?? { part, entry, score: 0 };
      known.score += 1 / (fusion + rank + 1);
      fused.set(key, known);
    }
  }
  const best = [...fused.values()].sort((a, b) => b.score - a.score || b.entry - a.entry || a.part - b.part);
  const hits: SearchHit[] = [];
  // Content that was logged twice is found once, in the newest of its entries.
  const told = new Set<number>();
  for (const { part, entry: seq, score } of best) {
    if (hits.length >= query.limit) break;
    if (told.has(part)) continue;
    told.add(part);
    const hit = hitOf(db, seq, part, score, parsed.terms);
    if (hit) hits.push(hit);
  }
  return { hits, unsearched: unsearched(db) };
}

/** A title stands for the first part of its entry. */
function byTitle(db: Database, match: string, { sql, values }: Filter): Ranking {
  return db.all(
    titleRow,
    `SELECT part, entry FROM (
       SELECT p.id AS part, e.seq AS entry, bm25(titles) AS score
       FROM titles CROSS JOIN entries e ON e.seq = titles.rowid CROSS JOIN contents c ON c.id = e.content AND ${sql}
       CROSS JOIN parts p ON p.content = e.content AND p.n = 0
       WHERE titles MATCH ? ORDER BY titles.rowid DESC LIMIT ${mostRanked}
     ) ORDER BY score, entry DESC LIMIT ${mostKept}`,
    ...[...values, match],
  );
}

function hitOf(
  db: Database,
  seq: number,
  part: number,
  score: number,
  terms: readonly string[],
): SearchHit | undefined {
  const [stored] = selectEntries(db, 'WHERE e.seq = ?', seq);
  const place = db.one(placeRow, 'SELECT id, n, start, length, line, label, text FROM parts WHERE id = ?', part);
  if (!stored || !place) return undefined;
  const text = partReader(db, stored.content)(place)?.toString('utf8') ?? '';
  const { line, snippet } = snippetOf(text, terms);
  return { entry: stored.entry, part: place.n + 1, line: place.line + 1 + line, label: place.label, score, snippet };
}

function unsearched(db: Database): number {
  const sql = `SELECT coalesce(sum(parts - indexed), 0) AS count FROM contents WHERE (state <> 'whole' OR indexed < parts) AND state = 'whole'`;
  return db.one(countRow, sql)?.count ?? 0;
}
