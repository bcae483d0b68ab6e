/** Takes what has expired, what dead writers left, and what was marked for erasing; brings the index up to date. */
import { z } from 'zod';
import { governorMarkSchema, mayLive } from '../../../governance/governor/index.ts';
import type { Env } from '../../../kernel/index.ts';
import { type Database, selectEntries } from '../store/index.ts';
import { behind, indexSome } from './catch-up.ts';
import { erasing } from './erase.ts';
import { bury, removeEntry } from './forget.ts';

export interface Collected {
  /** Entries whose time was over. */
  readonly expired: number;
  /** Contents that nobody names, erased. */
  readonly erased: number;
  /** Parts that search finds from now on. */
  readonly indexed: number;
}

export interface GcOptions {
  readonly signal?: AbortSignal;
  /** What is done, of what is known to be there. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Lets others have their turn between two steps. */
  readonly pause?: () => Promise<void>;
}

const idRow = z.object({ id: z.int() });
const stagedRow = z.object({ id: z.int(), writer: z.string() });
const entriesInOneStep = 100;

export async function collect(db: Database, env: Env, options: GcOptions = {}): Promise<Collected> {
  const { signal, onProgress, pause = async () => undefined } = options;
  let expired = 0;
  for (let some = expireSome(db, env); some > 0; some = expireSome(db, env)) {
    signal?.throwIfAborted();
    expired += some;
  }
  for (const { id, writer } of db.all(stagedRow, `SELECT id, writer FROM contents WHERE state = 'staging'`)) {
    const mark = governorMarkSchema.safeParse(JSON.parse(writer));
    if (mark.success && mayLive(mark.data)) continue;
    db.write(() => db.run(`UPDATE contents SET state = 'erasing' WHERE id = ? AND state = 'staging'`, id));
  }
  const condemned = db.all(idRow, `SELECT id FROM contents WHERE state = 'erasing'`);
  const doomed = condemned.map(({ id }) => id);
  let steps = 0;
  for (const _ of erasing(db, doomed)) {
    signal?.throwIfAborted();
    steps += 1;
    onProgress?.(steps, Math.max(steps, doomed.length));
    await pause();
  }
  const total = behind(db);
  while (indexSome(db)) {
    signal?.throwIfAborted();
    onProgress?.(Math.max(0, total - behind(db)), total);
    await pause();
  }
  db.run('PRAGMA incremental_vacuum');
  db.flushLog();
  return { expired, erased: condemned.length, indexed: total };
}

/** A clock that was set back expires nothing: what is over by it is over by every later one. */
function expireSome(db: Database, env: Env): number {
  return db.write(() => {
    const over = selectEntries(
      db,
      'WHERE e.expires_at <= ? ORDER BY e.expires_at LIMIT ?',
      env.now(),
      entriesInOneStep,
    );
    for (const stored of over) {
      bury(db, env, stored, 'gc', `expired at ${stored.entry.expiresAt}`);
      removeEntry(db, stored);
    }
    return over.length;
  }, 'durable');
}
