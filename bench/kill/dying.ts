/** When processes are dead, seen from outside, by looking at all that are left every two milliseconds. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

const lookEveryMs = 2;

/** Milliseconds from `began` (of `performance.now`) to the death of each, in the order in which they die. */
export async function deaths(pids: readonly number[], began: number): Promise<number[]> {
  const times: number[] = [];
  for (let left = pids; left.length > 0; ) {
    left = left.filter((pid) => {
      if (runs(pid)) return true;
      times.push(performance.now() - began);
      return false;
    });
    if (performance.now() - began > 30_000) throw new Error(`${left.length} processes are alive after 30 s`);
    await setTimeout(lookEveryMs);
  }
  return times;
}

/** What nothing can go below: as many processes, killed one after the other by kill(2), until the last is reaped. */
export async function bareKill(count: number): Promise<number> {
  const children = Array.from({ length: count }, () => spawn('sleep', ['600'], { stdio: 'ignore', detached: true }));
  const pids = children.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  await setTimeout(200);
  const began = performance.now();
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  return (await deaths(pids, began)).at(-1) ?? 0;
}

/** One that waits to be reaped is dead: who reaps it, and when, is up to the machine's first process. */
function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^\) [ZX]/.test(stat.slice(stat.lastIndexOf(')')));
  } catch {
    return false;
  }
}
