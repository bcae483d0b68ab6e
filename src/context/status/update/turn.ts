/**
 * Whose turn it is to change a status, among all processes of this host. SQLite's lock on an empty file: the system takes
 * it from a process that dies, so that none is ever left behind to be judged by its age.
 */
import { DatabaseSync } from 'node:sqlite';
import { AgovError, type Env, messageOf } from '../../../kernel/index.ts';

export interface Turns extends Disposable {
  /** Calls `work` while nobody else has the turn. @throws STATUS_BUSY */
  take<T>(work: () => Promise<T>): Promise<T>;
}

const waitMs = 60_000;
const pauseMs = 12;
const shortestMs = 2;
/** SQLITE_BUSY. */
const busy = 5;

export function openTurns(path: string, env: Env): Turns {
  let db: DatabaseSync | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const tryTake = (): DatabaseSync | undefined => {
    try {
      db ??= new DatabaseSync(path, { timeout: 0 });
      // Nothing is ever written, and a journal on disk would be looked for each time.
      db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
      return db;
    } catch (error) {
      if (error instanceof Error && 'errcode' in error && error.errcode === busy) return undefined;
      const fix = `See whether ${path} can be written, and is no other file.`;
      throw new AgovError('NOT_WRITABLE', {
        what: 'The lock for statuses cannot be taken.',
        why: messageOf(error),
        fix,
      });
    }
  };

  const alone = async <T>(work: () => Promise<T>): Promise<T> => {
    const since = env.monotonic();
    for (;;) {
      const held = tryTake();
      if (held) {
        try {
          return await work();
        } finally {
          if (held.isOpen && held.isTransaction) held.exec('ROLLBACK');
        }
      }
      const waited = env.monotonic() - since;
      if (waited >= waitMs) {
        throw new AgovError('STATUS_BUSY', {
          what: 'Others have been changing statuses for a minute.',
          fix: 'Try again.',
        });
      }
      // A varying wait, so that nobody always comes a moment too late; and whoever has waited long looks more often.
      const most = Math.max(shortestMs, Math.round(pauseMs / (1 + waited / 1000)));
      await env.sleep(1 + ((env.random(1)[0] ?? 0) % most));
    }
  };

  return {
    take(work) {
      // One connection can hold one lock: within this process they queue.
      const mine = last.then(() => alone(work));
      last = mine.catch(() => undefined); // its caller is told
      return mine;
    },
    [Symbol.dispose]() {
      if (db?.isOpen) db.close();
    },
  };
}
