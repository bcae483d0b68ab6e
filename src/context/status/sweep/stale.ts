/**
 * Which statuses are older than what they speak of. A change belongs to the nearest directory above it that has a status.
 * A commit that touches a status along with other files says that somebody looked: only what came after it counts.
 */
import type { Change, History } from '../../../adapters/history/port.ts';
import { statusFile, timeOf } from '../format/index.ts';
import type { Directory } from '../tree/index.ts';

export interface Stale {
  readonly directory: Directory;
  /** The newest change. */
  readonly last: Omit<Change, 'paths'>;
}

/** Commits are dated by many clocks. */
const slackMs = 86_400_000;

export async function staleOf(
  directories: readonly Directory[],
  history: Extract<History, { ok: true }>,
  signal?: AbortSignal,
): Promise<readonly Stale[]> {
  const open = new Map<string, Directory>();
  let oldest = Number.POSITIVE_INFINITY;
  for (const directory of directories) {
    // What is finished is not touched for what others change in it later; that it never said when is no fault either.
    if (directory.status?.updated === undefined) continue;
    open.set(directory.path, directory);
    oldest = Math.min(oldest, timeOf(directory.status.updated));
  }
  const withStatus = new Set(directories.flatMap(({ path, status, faults }) => (status || faults ? [path] : [])));
  const stale: Stale[] = [];
  if (open.size === 0) return stale;
  for await (const { paths, ...change } of history.changes({
    since: oldest - slackMs,
    ...(signal ? { signal } : {}),
  })) {
    const touched = new Map<string, 'looked' | 'changed'>();
    for (const path of paths) {
      const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
      const looked = path === statusFile || path.endsWith(`/${statusFile}`);
      const owner = looked ? folder : ownerOf(folder, withStatus);
      if (owner !== undefined && (looked || !touched.has(owner))) touched.set(owner, looked ? 'looked' : 'changed');
    }
    for (const [path, how] of touched) {
      const directory = open.get(path);
      if (directory === undefined) continue;
      open.delete(path);
      const told = directory.status?.updated;
      if (how === 'changed' && told !== undefined && change.at > timeOf(told)) stale.push({ directory, last: change });
    }
    if (open.size === 0) break;
  }
  return stale.sort((a, b) => (a.directory.path < b.directory.path ? -1 : 1));
}

function ownerOf(folder: string, withStatus: ReadonlySet<string>): string | undefined {
  for (let path = folder; ; path = path.slice(0, Math.max(0, path.lastIndexOf('/')))) {
    if (withStatus.has(path)) return path;
    if (path === '') return undefined;
  }
}
