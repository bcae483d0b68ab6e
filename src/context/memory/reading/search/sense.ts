/** Parts by their sense: vectors beside the parts, compared one by one by an extension of SQLite that is loaded when asked for. */
import { z } from 'zod';
import { AgovError, messageOf } from '../../../../kernel/index.ts';
import { type Database, partReader, type StoredPart } from '../../store/index.ts';
import { type EntryFilter, filterSql } from '../filter.ts';
import type { Ranking } from './words.ts';

const mostKept = 50;
/** What models take of one text; a part seldom has more. */
const mostLetters = 8000;

const partRow = z.object({
  ...{ id: z.int(), content: z.int(), n: z.int(), start: z.int(), length: z.int(), line: z.int() },
  ...{ label: z.string(), text: z.int() },
});
const nearRow = z.object({ part: z.int(), entry: z.int() });

export interface Unsensed {
  readonly part: number;
  readonly text: string;
}

/** Parts that have no vector of this model, the newest first. */
export function unsensed(db: Database, model: string, limit: number): readonly Unsensed[] {
  const rows = db.all(
    partRow,
    `SELECT p.id, p.content, p.n, p.start, p.length, p.line, p.label, p.text FROM parts p
     JOIN contents c ON c.id = p.content AND c.state = 'whole'
     WHERE p.text = 1 AND NOT EXISTS (SELECT 1 FROM vectors v WHERE v.model = ? AND v.part = p.id)
     ORDER BY p.id DESC LIMIT ?`,
    ...[model, limit],
  );
  const read = new Map<number, (part: StoredPart) => Buffer | undefined>();
  return rows.map(({ content, ...part }) => {
    const reader = read.get(content) ?? partReader(db, content);
    read.set(content, reader);
    // A damaged part has no sense of its own; its label may.
    const text = `${part.label}\n${reader(part)?.toString('utf8') ?? ''}`.slice(0, mostLetters).toWellFormed();
    return { part: part.id, text: text.trim() === '' ? '-' : text };
  });
}

/** A part that is gone meanwhile gets none. */
export function addVectors(
  db: Database,
  model: string,
  vectors: readonly { part: number; vector: Float32Array }[],
): void {
  db.write(() => {
    for (const { part, vector } of vectors) {
      db.run(
        'INSERT OR REPLACE INTO vectors (part, model, vector) SELECT id, ?, ? FROM parts WHERE id = ?',
        ...[model, bytesOf(vector), part],
      );
    }
  });
}

/** Needs `loadSenses`. Vectors of another length than the question's are of an earlier model under the same name. */
export function bySense(
  db: Database,
  spaces: readonly string[],
  filter: EntryFilter,
  model: string,
  question: Float32Array,
): Ranking {
  const { sql, values } = filterSql(db, spaces, filter);
  return db.all(
    nearRow,
    `SELECT v.part, e.seq AS entry FROM vectors v JOIN parts p ON p.id = v.part JOIN contents c ON c.id = p.content
     JOIN entries e ON e.content = p.content AND ${sql}
     WHERE v.model = ? AND length(v.vector) = ? ORDER BY vec_distance_cosine(v.vector, ?), e.seq DESC LIMIT ${mostKept}`,
    ...[...values, model, question.byteLength, bytesOf(question)],
  );
}

/** @throws TOOL_MISSING */
export async function loadSenses(db: Database): Promise<void> {
  try {
    const { getLoadablePath } = await import('sqlite-vec');
    db.load(getLoadablePath());
  } catch (error) {
    throw new AgovError('TOOL_MISSING', {
      what: 'The extension that compares vectors cannot be loaded.',
      why: messageOf(error),
      fix: 'Install the package sqlite-vec for this machine, or search without --semantic.',
      cause: error,
    });
  }
}

function bytesOf(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}
