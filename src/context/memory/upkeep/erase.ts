/**
 * Takes content out that no entry names: its words out of the index, its parts, and those of its blocks that are nobody
 * else's. In steps, each whole by itself, so that content of any size goes and a death in between costs nothing.
 */
import { z } from 'zod';
import { type Database, partReader, partsFrom, removeWords } from '../store/index.ts';

const partsInOneStep = 64;
/**
 * Of so many parts each word is cut out of its page. Of more that takes longer than to write the whole index anew: eight
 * milliseconds a part in an index of a million, all of which is written in seven seconds.
 */
const mostCutOut = 500;
/** In one step: a quarter of a second. */
const mergedPages = 2000;

const stateRow = z.object({ indexed: z.int(), parts: z.int() });
const changesRow = z.object({ count: z.int() });
const entryRow = z.object({ seq: z.int() });

/** Call inside a transaction: what no entry names any more is seen by nobody from its end on. */
export function condemnIfUnused(db: Database, content: number): boolean {
  if (db.one(entryRow, 'SELECT seq FROM entries WHERE content = ? LIMIT 1', content)) return false;
  db.run(`UPDATE contents SET state = 'erasing' WHERE id = ?`, content);
  return true;
}

/** Content that is marked as `erasing`. Several processes may do it at once. */
export function eraseContent(db: Database, content: number): void {
  for (const _ of erasing(db, [content]));
}

/** Step by step: between two of them others have their turn, and a death costs nothing. */
export function* erasing(db: Database, contents: readonly number[]): Generator<undefined> {
  // What another process has erased meanwhile has no state. After a death the counts are still those of the beginning.
  const indexed = contents.reduce((sum, content) => sum + (stateOf(db, content)?.indexed ?? 0), 0);
  const many = indexed > mostCutOut;
  for (const content of contents) while (!db.write(() => eraseParts(db, content, many))) yield;
  if (many) yield* rewritten(db);
  for (const content of contents) {
    db.write(() => {
      if (!stateOf(db, content)) return;
      removeBlocks(db, content);
      db.run('DELETE FROM contents WHERE id = ?', content);
    });
    yield;
  }
}

function stateOf(db: Database, content: number): z.infer<typeof stateRow> | undefined {
  return db.one(stateRow, `SELECT indexed, parts FROM contents WHERE id = ? AND state = 'erasing'`, content);
}

/** True when none is left. Inside a transaction. */
function eraseParts(db: Database, content: number, many: boolean): boolean {
  const state = stateOf(db, content);
  if (!state) return true;
  const parts = partsFrom(db, content, 0, partsInOneStep);
  const read = partReader(db, content);
  let { indexed } = state;
  if (parts.length > 0) cutOut(db, !many);
  for (const { id, n, label, text, ...place } of parts) {
    if (n < indexed && text === 1) {
      const bytes = read({ id, n, label, text, ...place });
      // Without its text a part cannot be taken out of the index: the index is made anew, from what is whole.
      if (bytes) removeWords(db, id, label, bytes.toString('utf8'));
      else indexed = forgetAllWords(db);
    }
    db.run('DELETE FROM vectors WHERE part = ?', id);
    db.run('DELETE FROM parts WHERE id = ?', id);
  }
  if (many && parts.length > 0) {
    db.run(`INSERT INTO words (words) VALUES ('flush')`);
    cutOut(db, true);
  }
  return parts.length < partsInOneStep;
}

/** Whether FTS5 cuts a word out of its page at once, or notes that it is gone. */
function cutOut(db: Database, at: boolean): void {
  db.run(`INSERT INTO words (words, rank) VALUES ('secure-delete', ?)`, at ? 1n : 0n);
}

/** The whole index is written anew, without what is noted as gone. */
function* rewritten(db: Database): Generator<undefined> {
  // A negative count begins it, over all of the index; below two changes there is nothing more.
  for (let pages = -mergedPages; merge(db, pages) >= 2 || pages < 0; pages = mergedPages) yield;
}

function merge(db: Database, pages: number): number {
  const changes = (): number => db.one(changesRow, 'SELECT total_changes() AS count')?.count ?? 0;
  return db.write(() => {
    const before = changes();
    db.run(`INSERT INTO words (words, rank) VALUES ('merge', ?)`, BigInt(pages));
    return changes() - before;
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
