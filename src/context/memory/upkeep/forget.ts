/** Forgets one entry: its content is erased unless another entry has the same, and a tombstone says who and why. */
import type { Env } from '../../../kernel/index.ts';
import { type Database, removeTitle, type StoredEntry } from '../store/index.ts';
import { condemnIfUnused, eraseContent } from './erase.ts';

export interface Forgotten {
  readonly id: string;
  readonly sha256: string;
  /** False where another entry has the same content, which stays for it. */
  readonly erased: boolean;
}

export function removeEntry(db: Database, { entry, seq, content }: StoredEntry): boolean {
  removeTitle(db, seq, entry.title, entry.tags);
  db.run('DELETE FROM tags WHERE entry = ?', seq);
  db.run('DELETE FROM links WHERE source = ? OR target = ?', entry.id, entry.id);
  db.run('DELETE FROM entries WHERE seq = ?', seq);
  return condemnIfUnused(db, content);
}

/** `by` and `reason` are kept with the id and the hash; nothing else is. */
export function forgetEntry(db: Database, env: Env, stored: StoredEntry, by: string, reason: string): Forgotten {
  const { entry, content } = stored;
  const gone = db.write(() => {
    bury(db, env, stored, by, reason);
    return removeEntry(db, stored);
  }, 'durable');
  if (gone) eraseContent(db, content);
  db.flushLog();
  return { id: entry.id, sha256: entry.sha256, erased: gone };
}

export function bury(db: Database, env: Env, { entry }: StoredEntry, by: string, reason: string): void {
  db.run(
    `INSERT OR IGNORE INTO tombstones (id, backwards, space, hash, logged_at, at, by, reason)
     SELECT e.id, e.backwards, e.space, c.hash, e.at, ?, ?, ? FROM entries e JOIN contents c ON c.id = e.content WHERE e.id = ?`,
    ...[env.now(), by, reason, entry.id],
  );
}
