/**
 * Finds what a command started, without a namespace to hold it: its group and session, the children of those, and every
 * process that still carries the mark of the run in its first environment, whoever its parent is by now. A process
 * escapes that leaves the session, loses its parent and has dropped the mark: only a real sandbox catches that one.
 */
import { readFileSync } from 'node:fs';
import type { Env } from '../../../kernel/index.ts';
import { allProcesses, descendantsOf, type ProcessFacts, sendSignal } from '../processes.ts';

export const markName = 'AGOV_SANDBOX_ID';

export function familyOf(leader: number, mark: string): readonly ProcessFacts[] {
  const all = allProcesses();
  const near = all.filter((facts) => facts.pid === leader || facts.group === leader || facts.session === leader);
  const marked = all.filter((facts) => carries(facts.pid, `${markName}=${mark}`));
  const family = new Map([...near, ...marked].map((facts) => [facts.pid, facts]));
  for (const { pid } of [...family.values()]) {
    for (const facts of descendantsOf(pid, all)) family.set(facts.pid, facts);
  }
  return [...family.values()].filter((facts) => !facts.zombie && facts.pid !== process.pid);
}

/** Kills until two looks in a row find nobody: a list of processes is out of date as soon as it is read. */
export async function endFamily(leader: number, mark: string, env: Env): Promise<void> {
  for (let quiet = 0; quiet < 2; ) {
    const family = familyOf(leader, mark);
    for (const { pid } of family) sendSignal(pid, 'SIGKILL');
    quiet = family.length === 0 ? quiet + 1 : 0;
    if (family.length > 0) await env.sleep(1);
  }
}

function carries(pid: number, entry: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(`\0${entry}\0`);
  } catch {
    // Ended, or another user's: not one that this user started.
    return false;
  }
}
