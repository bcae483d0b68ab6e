/**
 * Takes content out that no entry names: its words out of the index, its parts, and those of its blocks that are nobody
 * else's. In steps, each whole by itself, so that content of any size goes and a death in between costs nothing.
 */
import { z } from 'zod';
import { type Database, partReader, partsFrom, removeWords } from '../store/index.ts';

const partsInOneStep = 64;

const stateRow = z.object({ indexed: z.int(), parts: z.int() });
const entryRow = z.object({ seq: z.int() });

/** Call inside a transaction: what no entry names any more is seen by nobody from its end on. */
export function condemnIfUnused(db: Database, content: number): boolean {
  if (db.one(entryRow, 'SELECT seq FROM entries WHERE content = ? LIMIT 1', content)) return false;
  db.run(`UPDATE contents SET state = 'erasing' WHERE id = ?`, content);
  return true;
}

/** Content that is marked as `erasing`. Several processes may do it at once. */
export function eraseContent(db: Database, content: number): void {
  while (!eraseSome(db, content));
}

/** One step of it. True when nothing is left. */
export function eraseSome(db: Database, content: number): boolean {
  return db.write(() => {
    const state = db.one(stateRow, `SELECT indexed, parts FROM contents WHERE id = ? AND state = 'erasing'`, content);
    if (!state) return true; // another process was first
    const parts = partsFrom(db, content, 0, partsInOneStep);
    const read = partReader(db, content);
    let { indexed } = state;
    for (const part of parts) {
      const { id, n, label, text } = part;
      if (n < indexed && text === 1) {
        const bytes = read(part);
        // Without its text a part cannot be taken out of the index: the index is made anew, from what is whole.
        if (bytes) removeWords(db, id, label, bytes.toString('utf8'));
        else indexed = forgetAllWords(db);
      }
      db.run('DELETE FROM vectors WHERE part = ?', id);
      db.run('DELETE FROM parts WHERE id = ?', id);
    }
    if (parts.length === partsInOneStep) return false;
    removeBlocks(db, content);
    db.run('DELETE FROM contents WHERE id = ?', content);
    return true;
  });
}

function removeBlocks(db: Database, content: number): void {
  const ids = db.all(
    z.object({ block: z.int() }),
    'SELECT DISTINCT block FROM content_blocks WHERE content = ?',
    content,
  );
  db.run('DELETE FROM content_blocks WHERE content = ?', content);
  for (const { block } of ids) {
    db.run(
      'DELETE FROM blocks WHERE id = ? AND NOT EXISTS (SELECT 1 FROM content_blocks WHERE block = ?)',
      block,
      block,
    );
  }
}

function forgetAllWords(db: Database): 0 {
  db.run(`INSERT INTO words (words) VALUES ('delete-all')`);
  db.run('UPDATE contents SET indexed = 0');
  return 0;
}
