/** Indexes what was too large to be indexed while it was written, a step at a time: any process may do any step. */
import { z } from 'zod';
import { addWords, type Database, partReader, partsFrom } from '../store/index.ts';

const partsInOneStep = 256;

const behindRow = z.object({ id: z.int(), indexed: z.int(), parts: z.int() });
const countRow = z.object({ count: z.int() });

/** Parts that search does not find yet. */
export function behind(db: Database): number {
  const sql = `SELECT coalesce(sum(parts - indexed), 0) AS count FROM contents WHERE state = 'whole' AND indexed < parts`;
  return db.one(countRow, sql)?.count ?? 0;
}

/** True while there is more to do. */
export function indexSome(db: Database): boolean {
  return db.write(() => {
    const next = db.one(
      behindRow,
      `SELECT id, indexed, parts FROM contents WHERE state = 'whole' AND indexed < parts ORDER BY id DESC LIMIT 1`,
    );
    if (!next) return false;
    const { id: content, indexed } = next;
    const read = partReader(db, content);
    const parts = partsFrom(db, content, indexed, partsInOneStep);
    for (const part of parts) {
      // What is damaged is found by nobody; fetch names it.
      const bytes = part.text === 1 ? read(part) : undefined;
      if (bytes) addWords(db, part.id, part.label, bytes.toString('utf8'));
    }
    db.run('UPDATE contents SET indexed = ? WHERE id = ?', indexed + parts.length, content);
    return true;
  });
}
