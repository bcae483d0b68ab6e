/**
 * What of a live run still runs on this machine. A sandbox's process 1 stays in the session of the run's leader, and
 * whatever is inside descends from it, however often it forks or calls setsid: the kernel gives orphans of the namespace
 * to process 1, and lets that one end last. So nothing hides from a walk down from the session.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { LiveRun } from '../../../adapters/state/port.ts';

export interface Process {
  readonly pid: number;
  /** Clock ticks since boot: with the pid it names one process for ever. */
  readonly startedAt: string;
}

interface Facts extends Process {
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

/** Every process that ran at one moment; one that is dead and waits to be reaped did not. */
export interface Table {
  /** Those that belong to `run`. */
  membersOf(run: LiveRun): readonly Process[];
}

export function lookAtProcesses(): Table {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((found) => found !== undefined);
  const byPid = new Map(all.map((facts) => [facts.pid, facts]));
  const children = Map.groupBy(all, ({ parent }) => parent);
  const sessions = Map.groupBy(all, ({ session }) => session);
  const groups = Map.groupBy(all, ({ group }) => group);
  return {
    membersOf({ processGroup: leader, processStart }) {
      const inPlace = byPid.get(leader);
      // The number has been given to another process, which it is not while anything of the group or session lives.
      if (inPlace && inPlace.startedAt !== processStart) return [];
      const found = new Set([...(sessions.get(leader) ?? []), ...(groups.get(leader) ?? [])]);
      for (const { pid } of found) for (const child of children.get(pid) ?? []) found.add(child);
      return [...found];
    },
  };
}

export function isRunning({ pid, startedAt }: Process): boolean {
  return readProcess(pid)?.startedAt === startedAt;
}

function readProcess(pid: number): Facts | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined; // it has ended: that is the answer
  }
  // The name in parentheses may hold anything, so the fields count from the last one.
  const [state, parent, group, session, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return undefined;
  return { pid, parent: Number(parent), group: Number(group), session: Number(session), startedAt: rest[15] ?? '' };
}
