/**
 * Parts by their words. BM25 reads all rows of each of its words, and an intersection all rows of the rarest. Words that
 * are in very many parts tell them apart least and cost most: they must be there and do not count for the order. Where
 * every word is one, the newest parts are looked at, and older ones only until there is enough.
 */
import { z } from 'zod';
import type { Database, SQLInputValue } from '../../store/index.ts';
import { matchOf, type ParsedQuery } from './query.ts';

/** A ranking: part and entry, the best first. */
export type Ranking = readonly { readonly part: number; readonly entry: number }[];

/** Conditions over `e` (entries) and `c` (contents). */
export interface Filter {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** Of one ranking. */
export const mostKept = 100;
/** A word in so many parts is common. */
const commonFrom = 4000;
/** How many of the parts with the rarest word are looked at first, where that is common; then four times as many. */
const firstLook = 1000;
/** So many of the best are asked for; more only where a filter leaves too few of them. */
const firstRanked = 120;

/** Contents that are searched one by one, and the parts that one of them may have for it. */
const mostContents = 64;
const mostParts = 5000;

const stretchRow = z.object({ first: z.int(), last: z.int() });
type Stretch = z.infer<typeof stretchRow>;
const backRow = z.object({ oldest: z.int(), count: z.int() });
const partRow = z.object({ part: z.int() });
const foundRow = z.object({ part: z.int(), entry: z.int() });
type Place = z.infer<typeof foundRow>;

export function byWords(db: Database, query: ParsedQuery, filter: Filter): Ranking {
  // The rarest first: of two that are common, the one whose newest parts go back further.
  const terms = query.terms
    .map((term) => ({ term, ...lookBack(db, term, undefined, commonFrom) }))
    .sort((a, b) => a.count - b.count || a.oldest - b.oldest);
  const [rarest] = terms;
  if (!rarest || rarest.count === 0) return [];
  const match = matchOf({ ...query, terms: terms.map(({ term }) => term) });
  const telling = terms.filter(({ count }) => count < commonFrom).map(({ term }) => term);
  const found = telling.length === 0 ? newest(db, match, rarest.term, filter) : best(db, match, telling, filter);
  return found.slice(0, mostKept);
}

/** The oldest of the newest so many parts with this word before `before`, and how many there are. */
function lookBack(
  db: Database,
  term: string,
  before: bigint | undefined,
  most: number,
): { readonly oldest: number; readonly count: number } {
  const below = before === undefined ? '' : 'AND rowid < ?';
  const sql = `SELECT coalesce(min(part), 0) AS oldest, count(*) AS count FROM
    (SELECT rowid AS part FROM words WHERE words MATCH ? ${below} ORDER BY rowid DESC LIMIT ?)`;
  return db.one(backRow, sql, term, ...boundsOf(before), most) ?? { oldest: 0, count: 0 };
}

/** From stretch to stretch, the newest parts first, until there is enough or nothing more. */
function newest(db: Database, match: string, rarest: string, filter: Filter): readonly Place[] {
  const few = fewContents(db, filter);
  if (few) {
    // What was logged at the same time lies mixed, so that a part may be in two stretches.
    const parts = new Set(few.flatMap((one) => matchesIn(db, match, one)));
    return placesOf(
      db,
      [...parts].sort((a, b) => b - a),
      filter,
    );
  }
  const found: Place[] = [];
  let before: bigint | undefined;
  for (let look = firstLook; ; look *= 4) {
    const { oldest, count } = lookBack(db, rarest, before, look);
    const from = count < look ? 0n : BigInt(oldest);
    // Forwards, which FTS5 does several times as fast as backwards. It sees bounds that are integers of SQL: bigint here.
    const sql = `SELECT rowid AS part FROM words
      WHERE words MATCH ? AND rowid >= ? ${before === undefined ? '' : 'AND rowid < ?'}`;
    const parts = db.all(partRow, sql, match, from, ...boundsOf(before)).map(({ part }) => part);
    found.push(...placesOf(db, parts.reverse(), filter));
    if (found.length >= mostKept || from === 0n) return found;
    before = from;
  }
}

/**
 * Where few contents pass the filter, as those of one agent among many, their parts are looked at and not everybody's.
 * Undefined where they are many, or large.
 */
function fewContents(db: Database, filter: Filter): readonly Stretch[] | undefined {
  const place = (n: string): string => `(SELECT id FROM parts WHERE content = c.id AND n = ${n})`;
  const sql = `SELECT DISTINCT ${place('0')} AS first, ${place('c.parts - 1')} AS last
    FROM entries e CROSS JOIN contents c ON c.id = e.content AND c.state = 'whole' AND ${filter.sql} LIMIT ?`;
  const few = db.all(stretchRow, sql, ...filter.values, mostContents + 1);
  return few.length <= mostContents && few.every(({ first, last }) => last - first < mostParts) ? few : undefined;
}

function matchesIn(db: Database, match: string, { first, last }: Stretch): readonly number[] {
  const sql = 'SELECT rowid AS part FROM words WHERE words MATCH ? AND rowid >= ? AND rowid <= ?';
  return db.all(partRow, sql, match, BigInt(first), BigInt(last)).map(({ part }) => part);
}

/** By what the telling words score. The plus keeps FTS5 from looking up each part by itself. */
function best(db: Database, match: string, telling: readonly string[], filter: Filter): readonly Place[] {
  const all = `AND +rowid IN (SELECT rowid FROM words WHERE words MATCH ?)`;
  const sql = `SELECT rowid AS part FROM words WHERE words MATCH ? ${all}
    ORDER BY bm25(words, 3.0, 1.0), rowid DESC LIMIT ?`;
  for (let most = firstRanked; ; most *= 16) {
    const parts = db.all(partRow, sql, telling.join(' AND '), match, most).map(({ part }) => part);
    const found = placesOf(db, parts, filter);
    if (found.length >= mostKept || parts.length < most) return found;
  }
}

/** The entries that these parts belong to, as far as they pass the filter, in the order of the parts. */
function placesOf(db: Database, parts: readonly number[], filter: Filter): readonly Place[] {
  const sql = `SELECT p.id AS part, e.seq AS entry
    FROM json_each(?) f CROSS JOIN parts p ON p.id = f.value
    CROSS JOIN contents c ON c.id = p.content AND c.state = 'whole'
    CROSS JOIN entries e ON e.content = p.content AND ${filter.sql}
    ORDER BY f.key, e.seq DESC LIMIT ${mostKept}`;
  return parts.length === 0 ? [] : db.all(foundRow, sql, JSON.stringify(parts), ...filter.values);
}

function boundsOf(before: bigint | undefined): readonly bigint[] {
  return before === undefined ? [] : [before];
}
