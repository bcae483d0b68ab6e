/**
 * Finds the host path to mount a guard upon, and makes one where there is none.
 *
 * What does not exist must not come into being inside the sandbox either, and a mount needs something to lie on. So the
 * topmost missing part of a guarded path is created on the host as an empty folder, also where a file is meant: git does
 * not see empty folders, and a tool that looks for a file finds nothing that it could parse. It stays after the run and
 * must stay: removing a folder on the host silently takes away the mounts that lie on it in every other sandbox of the
 * project that still runs, and with them the guard.
 */
import { lstatSync, mkdirSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { AgovError, messageOf, systemCode } from '../../../../kernel/index.ts';

export type Place =
  | { readonly kind: 'existing'; readonly path: string; readonly folder: boolean }
  | { readonly kind: 'empty'; readonly path: string };

/**
 * Undefined when nothing can be there: a link leads elsewhere (and is looked at there), or nobody with our rights could
 * create it. `path` is relative to `root`, and so is the answer's.
 * @throws AgovError WORKSPACE_INVALID for a link that the command could replace
 */
export function placeholder(
  root: string,
  path: string,
  guard: 'hidden' | 'protected',
  writable: boolean,
): Place | undefined {
  const parts = path === '' ? [] : path.split('/');
  let at = '';
  let stats = statsOf(root);
  for (const [index, part] of parts.entries()) {
    at = join(at, part);
    const full = join(root, at);
    stats = statsOf(full);
    if (stats?.isSymbolicLink()) {
      if (writable) throw linkInTheWay(full, guard);
      return undefined;
    }
    const last = index === parts.length - 1;
    if (stats === undefined) return createFolder(full, guard) ? { kind: 'empty', path: at } : undefined;
    // Masking an empty folder whole gives the same view at every run, the one that created it included.
    if (!last && stats.isDirectory() && isEmpty(full)) return { kind: 'empty', path: at };
    if (!last && !stats.isDirectory()) return { kind: 'existing', path: at, folder: false };
  }
  return stats && { kind: 'existing', path: at, folder: stats.isDirectory() };
}

function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw unusable(path, error);
  }
}

function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch (error) {
    throw unusable(folder, error);
  }
}

function createFolder(path: string, guard: 'hidden' | 'protected'): boolean {
  try {
    mkdirSync(path, { recursive: true, mode: guard === 'hidden' ? 0o700 : 0o755 });
    return true;
  } catch (error) {
    // The command has our rights at most: what we cannot create, it cannot.
    if (['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error) ?? '')) return false;
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): AgovError {
  return new AgovError('WORKSPACE_INVALID', {
    what: `The sandbox cannot guard ${path}.`,
    why: messageOf(error),
    fix: 'Give this user access to it, or run as its owner.',
    cause: error,
  });
}

function linkInTheWay(path: string, guard: 'hidden' | 'protected'): AgovError {
  return new AgovError('WORKSPACE_INVALID', {
    what: `The sandbox cannot guard what lies behind the symbolic link ${path}.`,
    why: `It is on the way to a ${guard} path, and a command that may write here could replace the link.`,
    fix: 'Replace the link by the file or folder itself.',
  });
}
