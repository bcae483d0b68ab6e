/** How far everything is: each directory with a status, its progress with that of all below it, and what is stuck. */
import type { Phase } from '../../../schemas/index.ts';
import { timeOf } from '../format/index.ts';
import { cycles, dependencyPath, shownPath } from '../sweep/index.ts';
import type { Directory } from '../tree/index.ts';

export interface Count {
  readonly done: number;
  readonly all: number;
}

export interface DashboardRow {
  /** `.` for the project's root. */
  readonly path: string;
  /** The nearest directory above that is a row too; undefined for the first. */
  readonly above?: string;
  readonly depth: number;
  /** `unknown` where the file cannot be used. */
  readonly phase: Phase | 'unknown';
  readonly owner?: string;
  readonly updated?: string;
  /** Its tasks; where it lists none it is one itself. */
  readonly own: Count;
  /** With all below it. */
  readonly total: Count;
  /** Why nothing moves. */
  readonly stuck?: string;
}

export interface Dashboard {
  readonly rows: readonly DashboardRow[];
  readonly total: Count;
  /** Directories by phase. */
  readonly phases: Readonly<Partial<Record<Phase | 'unknown', number>>>;
  readonly stuck: readonly DashboardRow[];
  /** Directories that were looked at. */
  readonly directories: number;
}

export interface DashboardAsked {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly quietMs: number;
  /** Only this directory and what is below it; empty for all. */
  readonly within: string;
}

type Draft = { -readonly [K in keyof DashboardRow]: DashboardRow[K] } & { total: { done: number; all: number } };

export function dashboardOf(all: readonly Directory[], { now, quietMs, within }: DashboardAsked): Dashboard {
  const byPath = new Map(all.map((one) => [one.path, one]));
  const circling = new Set(cycles(all).flat());
  const inside = within === '' ? all : all.filter(({ path }) => path === within || path.startsWith(`${within}/`));
  const rows: Draft[] = [];
  const rowOf = new Map<Directory, Draft>();
  const phases: Partial<Record<Phase | 'unknown', number>> = {};
  for (const directory of inside) {
    const { path, parent, status, faults } = directory;
    const above = parent && rowOf.get(parent);
    if (status === undefined && faults === undefined) {
      // What lies below it belongs to the nearest row above.
      if (above) rowOf.set(directory, above);
      continue;
    }
    const own = countOf(directory);
    const stuck = whyStuck(directory, byPath, circling, now - quietMs);
    const row: Draft = {
      path: shownPath(path),
      ...(above ? { above: above.path } : {}),
      depth: above ? above.depth + 1 : 0,
      phase: status?.phase ?? 'unknown',
      ...(status?.owner === undefined ? {} : { owner: status.owner }),
      ...(status?.updated === undefined ? {} : { updated: status.updated }),
      ...{ own, total: { ...own } },
      ...(stuck === undefined ? {} : { stuck }),
    };
    phases[row.phase] = (phases[row.phase] ?? 0) + 1;
    rows.push(row);
    rowOf.set(directory, row);
  }
  const rowByPath = new Map(rows.map((row) => [row.path, row]));
  const total = { done: 0, all: 0 };
  // Children come after their parents, so that from the end each is complete when it is added.
  for (const row of rows.toReversed()) {
    const into = row.above === undefined ? total : (rowByPath.get(row.above)?.total ?? total);
    into.done += row.total.done;
    into.all += row.total.all;
  }
  return { rows, total, phases, stuck: rows.filter(({ stuck }) => stuck !== undefined), directories: inside.length };
}

function countOf({ status }: Directory): Count {
  if (status === undefined) return { done: 0, all: 1 };
  if (status.tasks.length === 0) return { done: status.phase === 'complete' ? 1 : 0, all: 1 };
  return { done: status.tasks.filter(({ done }) => done).length, all: status.tasks.length };
}

function whyStuck(
  { path, status, faults }: Directory,
  byPath: ReadonlyMap<string, Directory>,
  circling: ReadonlySet<string>,
  quietSince: number,
): string | undefined {
  if (faults !== undefined) return `it cannot be read: ${faults[0]?.message ?? ''}`;
  if (status === undefined || status.phase === 'complete') return undefined;
  if (circling.has(path)) return 'it waits for itself, by way of others';
  const waits = status.depends.filter((one) => {
    const to = dependencyPath(path, one);
    return to === undefined || byPath.get(to)?.status?.phase !== 'complete';
  });
  if (status.phase === 'blocked') return waits.length > 0 ? `blocked, waits for ${waits.join(', ')}` : 'blocked';
  if (status.phase === 'not-started') return undefined;
  if (waits.length > 0) return `waits for ${waits.join(', ')}`;
  const { updated } = status;
  return updated !== undefined && timeOf(updated) < quietSince
    ? `nothing said since ${updated.slice(0, 10)}`
    : undefined;
}
