/**
 * Sets that were found in order, each an empty file named by the hash of all that went into it: to try every example
 * takes a third of a short command's time. Whoever wrote a name here would spare a set its trial, and no more: a rule
 * that fails when it is asked denies.
 */
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Tried {
  has(hash: string): boolean;
  add(hash: string): void;
}

const most = 100;

/** `folder` is one that only this user writes. */
export function triedIn(folder: string): Tried {
  const file = (hash: string): string => join(folder, `policy-${hash}`);
  return {
    has: (hash) => existsSync(file(hash)),
    add(hash) {
      try {
        const others = readdirSync(folder).filter((name) => name.startsWith('policy-'));
        if (others.length >= most) for (const name of others) rmSync(join(folder, name), { force: true });
        writeFileSync(file(hash), '', { mode: 0o600 });
      } catch {
        // It is tried again at the next start.
      }
    },
  };
}
