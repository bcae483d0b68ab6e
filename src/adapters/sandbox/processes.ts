/** What /proc says of processes: who descends from whom, and whether a process is still the one that we started. */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessFacts {
  readonly pid: number;
  /** The first 15 bytes of its program's name, or what it has set instead. */
  readonly name: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Dead and waiting for its parent to notice: it runs nothing and holds nothing. */
  readonly zombie: boolean;
  /** Clock ticks since boot: with the pid it names one process for ever, since pids are used again. */
  readonly startedAt: string;
}

/** Undefined when there is no such process. */
export function processFacts(pid: number): ProcessFacts | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    // The process ended: that is the answer.
    return undefined;
  }
  // The name in parentheses is the process's own choice and may hold anything, so the fields count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    pid,
    name: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')),
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    zombie: fields[0] === 'Z' || fields[0] === 'X',
    startedAt: fields[19] ?? '',
  };
}

export function allProcesses(): readonly ProcessFacts[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processFacts(Number(name)))
    .filter((facts) => facts !== undefined);
}

/** Children, their children and so on, zombies left out. */
export function descendantsOf(pid: number, all: readonly ProcessFacts[] = allProcesses()): readonly ProcessFacts[] {
  const found: ProcessFacts[] = [];
  const queue = [pid];
  for (let parent = queue.shift(); parent !== undefined; parent = queue.shift()) {
    for (const facts of all) {
      if (facts.parent !== parent) continue;
      queue.push(facts.pid);
      if (!facts.zombie) found.push(facts);
    }
  }
  return found;
}

/** Whether `facts` still names a process that runs. */
export function isRunning(facts: ProcessFacts): boolean {
  const now = processFacts(facts.pid);
  return now !== undefined && !now.zombie && now.startedAt === facts.startedAt;
}

/** True when the signal was delivered; false when the process has ended. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    // ESRCH: it ended meanwhile. EPERM cannot be changed here either, and is answered in the same way.
    return false;
  }
}
