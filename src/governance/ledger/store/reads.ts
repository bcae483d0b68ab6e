/** Everything that is read from the ledger's tables. Rows come back as they are: callers check what they hash to. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { isoTime } from '../../../kernel/index.ts';
import { hashLength, type StoredEntry, tileWidth } from '../verifier/index.ts';
import { blockSize, tailStartSql } from './schema.ts';

export interface EntryRow {
  readonly seq: number;
  readonly leaf: Uint8Array;
  readonly bytes: Uint8Array;
}

export interface RowFilter {
  readonly kinds?: readonly string[];
  readonly run?: string;
  readonly agent?: string;
}

/** An entry that is not in the indexes yet. */
export interface TailRow {
  readonly seq: number;
  readonly id: string;
  readonly opens: number | null;
  readonly closes: string | null;
}

export interface Reads {
  size(): number;
  /** The size of the newest head. */
  headSize(): number | undefined;
  newestHead(): { readonly size: number; readonly note: string } | undefined;
  heads(): readonly string[];
  entry(seq: number): EntryRow | undefined;
  entryById(id: string): EntryRow | undefined;
  /** Entries from `from` to `to`, both included, that pass the filter. */
  entries(from: number, to: number, limit: number, newestFirst: boolean, filter?: RowFilter): readonly EntryRow[];
  /** Oldest first. */
  children(parent: string, after: number, filter?: RowFilter): readonly EntryRow[];
  /** The blocks that hold an entry for one of `facets`. */
  blocks(facets: readonly string[], from: number): readonly number[];
  stored(from: number, limit: number): readonly StoredEntry[];
  tile(level: number, index: number, width: number): Uint8Array | undefined;
  isClaimed(claim: string): boolean;
  tail(): readonly TailRow[];
  /** Whether an entry before the tail has the id. */
  isIndexed(id: string): boolean;
  greatestIndexedId(): string | undefined;
  /** Whether the entry was open where the tail begins. */
  wasOpen(id: string): boolean;
  /** With what the tail opened and closed, oldest first. */
  openIds(): readonly string[];
  /** Changes when another connection has committed. */
  dataVersion(): number;
}

const leafOf = (row: Row): Uint8Array => row['leaf'] as Uint8Array;
type Row = Record<string, SQLOutputValue>;

export function readStatements(db: DatabaseSync): Reads {
  const one = (sql: string): ((...values: SQLInputValue[]) => Row | undefined) => {
    const statement = db.prepare(sql);
    return (...values) => statement.get(...values);
  };
  const many = (sql: string): ((...values: SQLInputValue[]) => Row[]) => {
    const statement = db.prepare(sql);
    return (...values) => statement.all(...values);
  };
  const filtered = (from: string, order: string): ReturnType<typeof many> =>
    many(`SELECT seq, leaf, bytes FROM entries WHERE (${from}) AND (?3 IS NULL OR run = ?3)
      AND (?4 IS NULL OR agent = ?4) AND (?5 IS NULL OR kind IN (SELECT value FROM json_each(?5)))
      ORDER BY seq ${order} LIMIT ?6`);
  const filterValues = (filter: RowFilter): SQLInputValue[] => [
    filter.run ?? null,
    filter.agent ?? null,
    filter.kinds ? JSON.stringify(filter.kinds) : null,
  ];

  const size = one('SELECT max(seq) AS last FROM entries');
  const headSize = one('SELECT max(size) AS size FROM heads');
  const newestHead = one('SELECT size, note FROM heads ORDER BY size DESC LIMIT 1');
  const heads = many('SELECT note FROM heads ORDER BY size');
  const entry = one('SELECT seq, leaf, bytes FROM entries WHERE seq = ?');
  const entryById = one(`SELECT seq, leaf, bytes FROM entries WHERE seq = (SELECT seq FROM ids WHERE id = ?1)
    UNION ALL SELECT seq, leaf, bytes FROM entries WHERE seq >= ${tailStartSql} AND id = ?1 LIMIT 1`);
  const oldestFirst = filtered('seq BETWEEN ?1 AND ?2', 'ASC');
  const newestFirst = filtered('seq BETWEEN ?1 AND ?2', 'DESC');
  const children = filtered(
    `seq IN (SELECT seq FROM children WHERE parent = ?1 AND seq > ?2
      UNION ALL SELECT seq FROM entries WHERE seq >= ${tailStartSql} AND parent = ?1 AND seq > ?2)`,
    'ASC',
  );
  const blocks = many(`SELECT DISTINCT block FROM facets
    WHERE facet IN (SELECT value FROM json_each(?)) AND block >= ? ORDER BY block`);
  const stored = many(`SELECT seq, id, parent, kind, run, agent, at, leaf, bytes FROM entries
    WHERE seq >= ? ORDER BY seq LIMIT ?`);
  const tile = one('SELECT hashes FROM tiles WHERE level = ? AND idx = ?');
  const leaves = many('SELECT leaf FROM entries WHERE seq BETWEEN ? AND ? ORDER BY seq');
  const claim = one('SELECT 1 FROM claims WHERE claim = ?');
  const tail = many(`SELECT seq, id, opens, closes FROM entries WHERE seq >= ${tailStartSql} ORDER BY seq`);
  const indexed = one('SELECT 1 FROM ids WHERE id = ?');
  const greatestIndexed = one('SELECT max(id) AS id FROM ids');
  const open = one('SELECT 1 FROM open WHERE id = ?');
  const openIds = many(`SELECT id FROM (SELECT id, seq FROM open
      UNION ALL SELECT id, seq FROM entries WHERE seq >= ${tailStartSql} AND opens = 1)
    WHERE id NOT IN (SELECT closes FROM entries WHERE seq >= ${tailStartSql} AND closes IS NOT NULL) ORDER BY seq`);
  const dataVersion = one('PRAGMA data_version');

  return {
    size: () => {
      const last = size()?.['last'];
      return typeof last === 'number' ? last + 1 : 0;
    },
    headSize: () => (headSize()?.['size'] ?? undefined) as number | undefined,
    // The casts here trust the tables' STRICT types, which SQLite enforces on every write.
    newestHead: () => newestHead() as { size: number; note: string } | undefined,
    heads: () => heads().map((row) => row['note'] as string),
    entry: (seq) => entry(seq) as unknown as EntryRow | undefined,
    entryById: (id) => entryById(id) as unknown as EntryRow | undefined,
    entries(from, to, limit, newest, filter = {}) {
      const find = newest ? newestFirst : oldestFirst;
      return find(from, to, ...filterValues(filter), limit) as unknown as EntryRow[];
    },
    children: (parent, after, filter = {}) =>
      children(parent, after, ...filterValues(filter), -1) as unknown as EntryRow[],
    blocks: (facets, from) =>
      blocks(JSON.stringify(facets), Math.floor(from / blockSize)).map((row) => row['block'] as number),
    stored: (from, limit) => stored(from, limit).map(toStored),
    tile(level, index, width) {
      if (level === 0 && width < tileWidth) {
        return Buffer.concat(leaves(index * tileWidth, index * tileWidth + width - 1).map(leafOf));
      }
      const hashes = tile(level, index)?.['hashes'];
      return hashes instanceof Uint8Array ? hashes.subarray(0, width * hashLength) : undefined;
    },
    isClaimed: (text) => claim(text) !== undefined,
    tail: () => tail() as unknown as TailRow[],
    isIndexed: (id) => indexed(id) !== undefined,
    greatestIndexedId: () => (greatestIndexed()?.['id'] ?? undefined) as string | undefined,
    wasOpen: (id) => open(id) !== undefined,
    openIds: () => openIds().map((row) => row['id'] as string),
    dataVersion: () => dataVersion()?.['data_version'] as number,
  };
}

function toStored({ seq, leaf, bytes, at, ...columns }: Row): StoredEntry {
  return {
    seq: seq as number,
    bytes: bytes as Uint8Array,
    leaf: leaf as Uint8Array,
    columns: { ...(columns as Record<string, string | null>), at: isoTime(at as number) },
  };
}
