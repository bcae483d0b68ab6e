/** Everything that is wrong with the statuses of a project, or of a part of it, told at once. */
import type { History } from '../../../adapters/history/port.ts';
import { isoTime } from '../../../kernel/index.ts';
import { timeOf } from '../format/index.ts';
import type { Directory } from '../tree/index.ts';
import { checkDepends } from './depends.ts';
import { type Finding, shownPath } from './findings.ts';
import { staleOf } from './stale.ts';
import { missing } from './wanted.ts';

export interface SweepParts {
  readonly directories: readonly Directory[];
  readonly history: History;
  readonly track: Readonly<Record<string, number | boolean>>;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly signal?: AbortSignal;
}

/** A day may have begun elsewhere, and clocks differ. */
const aheadMs = 86_400_000;

export async function findingsOf({
  directories,
  history,
  track,
  now,
  signal,
}: SweepParts): Promise<readonly Finding[]> {
  const findings: Finding[] = missing(directories, track).map((directory) => ({
    ...{ kind: 'missing', severity: 'fault', path: shownPath(directory.path), message: 'It has no STATUS.md.' },
  }));
  for (const directory of directories) findings.push(...own(directory, now));
  findings.push(...checkDepends(directories));
  if (history.ok) {
    for (const { directory, last } of await staleOf(directories, history, signal)) {
      const commit = `${last.id.slice(0, 10)} of ${isoTime(last.at).slice(0, 16)}`;
      const message = `It was last updated at ${directory.status?.updated}, before the change ${commit}, “${last.subject}”.`;
      findings.push({ kind: 'stale', severity: 'warning', path: shownPath(directory.path), message });
    }
  }
  // Stable: what is found of one directory stays in its order.
  return findings.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

function own({ path, status, faults, unreadable }: Directory, now: number): readonly Finding[] {
  const about = { path: shownPath(path) };
  if (unreadable !== undefined) {
    return [{ ...about, kind: 'unreadable', severity: 'fault', message: `It cannot be read: ${unreadable}.` }];
  }
  if (faults !== undefined) {
    const message = faults.map((fault) => fault.message).join(' ');
    return [{ ...about, kind: 'malformed', severity: 'fault', message, faults }];
  }
  const found: Finding[] = [];
  const open = status?.tasks.filter(({ done }) => !done).length ?? 0;
  if (status?.phase === 'complete' && open > 0) {
    const message = `It is complete, and ${open === 1 ? 'a task is' : `${open} tasks are`} not done.`;
    found.push({ ...about, kind: 'open-tasks', severity: 'warning', message });
  }
  if (status?.updated !== undefined && timeOf(status.updated) > now + aheadMs) {
    const message = `It was updated at ${status.updated}, which is still to come: no change can be newer.`;
    found.push({ ...about, kind: 'ahead', severity: 'warning', message });
  }
  return found;
}
