/**
 * Makes sure that the folder which the sandbox shows as workspace is the one that was decided on. Both its path and
 * bubblewrap's mount are read by name, and an agent that works in a folder above may put a symbolic link there between
 * the two: bubblewrap would show, for writing, whatever of the host the link names.
 */
import { closeSync, constants, fstatSync, openSync, readlinkSync, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { AgovError, type Env } from '../../../../kernel/index.ts';
import { isRunning, processFacts } from '../../processes.ts';

export interface Anchor {
  readonly path: string;
  readonly identity: string;
}

/** @throws AgovError WORKSPACE_INVALID where `path` is not, or no longer, the real path of a folder */
export function dropAnchor(path: string): Anchor {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    if (readlinkSync(`/proc/self/fd/${descriptor}`) === path) {
      return { path, identity: identityOf(fstatSync(descriptor, { bigint: true })) };
    }
  } catch {
    // Told below: a link in its place, or nothing at all.
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
  throw moved(path);
}

/**
 * Waits until the sandbox with process 1 `warden` has its view, of which `last` is the last piece, and compares. Returns
 * also when it ended before: then there is nothing to protect from.
 * @throws AgovError WORKSPACE_INVALID
 */
export async function checkAnchor({ path, identity }: Anchor, warden: number, last: string, env: Env): Promise<void> {
  const facts = processFacts(warden);
  const root = `/proc/${warden}/root`;
  for (let looks = 0; facts !== undefined && isRunning(facts); looks++) {
    if (statSync(root + last, { throwIfNoEntry: false })) {
      const shown = statSync(root + path, { throwIfNoEntry: false, bigint: true });
      if (shown !== undefined && identityOf(shown) === identity) return;
      throw moved(path);
    }
    await (looks < 50 ? setImmediate() : env.sleep(1));
  }
}

function identityOf({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${dev}:${ino}`;
}

function moved(path: string): AgovError {
  return new AgovError('WORKSPACE_INVALID', {
    what: `The workspace ${path} was replaced while the sandbox was made.`,
    why: 'What another process puts there, such as a symbolic link, could lead out of the project.',
    fix: 'See what lies there, and which agent works in a folder above it.',
  });
}
