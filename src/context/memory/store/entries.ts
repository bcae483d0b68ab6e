/** Entries as they are stored, and as they are told. */
import { z } from 'zod';
import { isoTime } from '../../../kernel/index.ts';
import type { Database, SQLInputValue } from './database.ts';

export interface MemoryEntry {
  readonly id: string;
  readonly space: string;
  readonly title: string;
  readonly kind: string;
  readonly tags: readonly string[];
  /** RFC 3339 UTC. */
  readonly at: string;
  readonly expiresAt?: string;
  readonly agent?: string;
  readonly operator?: string;
  readonly run?: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly lines: number;
  readonly parts: number;
  /** Parts that search finds; the others are still to be indexed. */
  readonly indexed: number;
  /** Secrets that were taken out, by rule. */
  readonly redacted: Readonly<Record<string, number>>;
}

/** An entry with what only this part knows of it. */
export interface StoredEntry {
  readonly entry: MemoryEntry;
  readonly seq: number;
  readonly content: number;
}

const row = z.object({
  ...{ seq: z.int(), id: z.string(), space: z.string(), title: z.string(), kind: z.string(), tags: z.string() },
  ...{
    at: z.int(),
    expires_at: z.int().nullable(),
    by_agent: z.string().nullable(),
    by_operator: z.string().nullable(),
  },
  ...{ run: z.string().nullable(), redacted: z.string(), hash: z.instanceof(Uint8Array), content: z.int() },
  ...{ bytes: z.int(), lines: z.int(), parts: z.int(), indexed: z.int() },
});
const redactedSchema = z.record(z.string(), z.int());
const tagsSchema = z.array(z.string());

const columns = `e.seq, e.id, s.name AS space, e.title, c.kind,
  (SELECT json_group_array(tag ORDER BY tag) FROM tags WHERE entry = e.seq) AS tags,
  e.at, e.expires_at, e.by_agent, e.by_operator, e.run, e.redacted, c.hash, e.content, c.bytes, c.lines, c.parts, c.indexed`;

/** `where` may name `e` (entries), `c` (contents) and `s` (spaces). */
export function selectEntries(db: Database, where: string, ...values: SQLInputValue[]): StoredEntry[] {
  const sql = `SELECT ${columns} FROM entries e JOIN spaces s ON s.id = e.space JOIN contents c ON c.id = e.content ${where}`;
  return db.all(row, sql, ...values).map(told);
}

function told(stored: z.infer<typeof row>): StoredEntry {
  const { seq, content, id, space, title, kind, bytes, lines, parts, indexed } = stored;
  const entry: MemoryEntry = {
    ...{ id, space, title, kind },
    tags: tagsSchema.parse(JSON.parse(stored.tags)),
    at: isoTime(stored.at),
    ...(stored.expires_at === null ? {} : { expiresAt: isoTime(stored.expires_at) }),
    ...(stored.by_agent === null ? {} : { agent: stored.by_agent }),
    ...(stored.by_operator === null ? {} : { operator: stored.by_operator }),
    ...(stored.run === null ? {} : { run: stored.run }),
    sha256: Buffer.from(stored.hash).toString('hex'),
    ...{ bytes, lines, parts, indexed },
    redacted: redactedSchema.parse(JSON.parse(stored.redacted)),
  };
  return { entry, seq, content };
}

/** By whose ends people name ids: the last characters differ where the first, which tell the time, are the same. */
export function backwards(id: string): string {
  return [...id].reverse().join('');
}

const idRow = z.object({ id: z.int() });

/** Ids of the spaces with these names; those that are not there yet are left out. */
export function spaceIds(db: Database, names: readonly string[]): readonly number[] {
  const sql = 'SELECT id FROM spaces WHERE name IN (SELECT value FROM json_each(?))';
  return db.all(idRow, sql, JSON.stringify(names)).map(({ id }) => id);
}

/** Inside a transaction. */
export function makeSpace(db: Database, name: string): number {
  const known = db.one(idRow, 'SELECT id FROM spaces WHERE name = ?', name);
  return known?.id ?? db.run('INSERT INTO spaces (name) VALUES (?)', name).id;
}

const nameRow = z.object({ name: z.string() });

export function allSpaces(db: Database): readonly string[] {
  return db.all(nameRow, 'SELECT name FROM spaces ORDER BY name').map(({ name }) => name);
}
