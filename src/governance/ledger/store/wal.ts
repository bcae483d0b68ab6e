/**
 * Moves the write-ahead log into the file when nobody is waiting: a checkpoint inside a commit costs that commit up to
 * ten milliseconds. A log that grows without a pause is checkpointed all the same once it is too long.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Env } from '../../../kernel/index.ts';

const idleMs = 200;
/** In pages of 4 KiB. */
const maxFrames = 1024;
const commitsBetweenLooks = 32;

export interface WalKeeper extends Disposable {
  /** Says that a commit has been made. */
  noteCommit(): void;
}

export function keepWalShort(db: DatabaseSync, env: Env, onIdle: () => void): WalKeeper {
  const length = db.prepare('PRAGMA wal_checkpoint(NOOP)');
  const checkpoint = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  let lastCommit = 0;
  let unlooked = 0;
  let idle: Disposable | undefined;
  let soon: NodeJS.Immediate | undefined;

  const run = (): void => {
    try {
      checkpoint.get();
    } catch {
      // A log that stays long for now harms nothing: the next commit tries again, and says so itself if the disk is full.
    }
  };
  const whenIdle = (): void => {
    const quiet = env.monotonic() - lastCommit;
    if (quiet < idleMs) {
      idle = env.timer(whenIdle, idleMs - quiet);
      return;
    }
    idle = undefined;
    run();
    onIdle();
  };
  const look = (): void => {
    unlooked = 0;
    const { log, checkpointed } = length.get() as { log: number; checkpointed: number };
    if (log - checkpointed < maxFrames) return;
    // After the receipts of this commit have been seen, not before.
    soon = setImmediate(run);
  };

  return {
    noteCommit() {
      lastCommit = env.monotonic();
      idle ??= env.timer(whenIdle, idleMs);
      if (++unlooked >= commitsBetweenLooks) look();
    },
    [Symbol.dispose]() {
      idle?.[Symbol.dispose]();
      if (soon) clearImmediate(soon);
    },
  };
}
