/**
 * Ends what a governor left behind that was killed in the few milliseconds in which bubblewrap sets up: its process 1
 * then waits for ever for a parent that is gone, before it has bound its life to anybody's. It never runs the command,
 * but it must not stay either. No live run is touched: there the parent of process 1 is a bubblewrap of the same kind.
 */
import { readFileSync } from 'node:fs';
import { allProcesses, sendSignal } from '../processes.ts';

/** In the arguments of every bubblewrap that we start, and of no other. */
export const signature = '/run/agov-complete';

export function endOrphans(mark = signature): void {
  const ours = allProcesses().filter(({ pid, name }) => name === 'bwrap' && read(pid, 'cmdline').includes(mark));
  const pids = new Set(ours.map(({ pid }) => pid));
  for (const { pid, parent } of ours) {
    const firstOfNamespace = /^NSpid:\t\d+\t1$/m.test(read(pid, 'status'));
    if (firstOfNamespace && !pids.has(parent)) sendSignal(pid, 'SIGKILL');
  }
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}
