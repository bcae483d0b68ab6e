/** What has to do with what: `fixes`, `follows`, any word that people agree on. */
import { z } from 'zod';
import { AgovError, type Env, isoTime } from '../../../kernel/index.ts';
import { type Database, type StoredEntry, spaceIds } from '../store/index.ts';

export interface Link {
  readonly source: string;
  readonly target: string;
  readonly relation: string;
  readonly at: string;
  readonly by: string;
}

const row = z.object({ source: z.string(), target: z.string(), relation: z.string(), at: z.int(), by: z.string() });

/** Linking twice is harmless. @throws INPUT_INVALID */
export function linkEntries(
  db: Database,
  env: Env,
  { entry: source }: StoredEntry,
  { entry: target }: StoredEntry,
  relation: string,
  by: string,
): Link {
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(relation)) {
    throw new AgovError('INPUT_INVALID', {
      what: `"${relation.slice(0, 60)}" is no relation.`,
      fix: 'Write one word of a-z, 0-9 and -: --as fixes',
    });
  }
  if (source.id === target.id) throw new AgovError('INPUT_INVALID', { what: 'An entry is not linked to itself.' });
  const at = env.now();
  db.write(() =>
    db.run(
      'INSERT OR IGNORE INTO links (source, target, relation, at, by) VALUES (?, ?, ?, ?, ?)',
      ...[source.id, target.id, relation, at, by],
    ),
  );
  return { source: source.id, target: target.id, relation, at: isoTime(at), by };
}

/** Of both directions; an entry in a space that is not among these is not told. */
export function linksOf(db: Database, spaces: readonly string[], { entry: { id } }: StoredEntry): readonly Link[] {
  const here = JSON.stringify(spaceIds(db, spaces));
  const visible = (column: string): string =>
    `EXISTS (SELECT 1 FROM entries e WHERE e.id = ${column} AND e.space IN (SELECT value FROM json_each(?)))`;
  return db
    .all(
      row,
      `SELECT source, target, relation, at, by FROM links
       WHERE (source = ? AND ${visible('target')}) OR (target = ? AND ${visible('source')}) ORDER BY at, source, target`,
      ...[id, here, id, here],
    )
    .map((link) => ({ ...link, at: isoTime(link.at) }));
}
