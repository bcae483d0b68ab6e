/** Takes a damaged state file out of the way, with its log, so that a fresh one can be built and nothing is lost. */
import { existsSync, renameSync } from 'node:fs';
import type { Env } from '../../../../kernel/index.ts';
import { stateFault } from './faults.ts';

/**
 * Renames the file and its `-wal`, and returns the new name; undefined when there is no such file. The log goes first:
 * left behind, it would be replayed into the next file of that name.
 * @throws AgovError STATE_UNAVAILABLE
 */
export function setStateAside(path: string, env: Env): string | undefined {
  if (!existsSync(path)) return undefined;
  const aside = `${path}.damaged-${env.now()}`;
  try {
    for (const suffix of ['-wal', '-shm', '']) {
      if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
    }
  } catch (error) {
    throw stateFault(path, error);
  }
  return aside;
}
