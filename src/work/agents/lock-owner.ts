/** Under which name a lock is held for an agent, so that a kill can tell whose it is. */
import type { Actor } from '../../adapters/state/port.ts';

export function lockOwner({ agent, run }: Actor): string {
  return `agent ${agent} run ${run}`;
}

/** Whether `owner` is one of that agent, or of that run. */
export function heldFor(owner: string, whose: Partial<Actor>): boolean {
  // Neither names of agents nor ids of runs hold a blank.
  const [, agent, run] = /^agent (\S+) run (\S+)$/.exec(owner) ?? [];
  if (agent === undefined) return false;
  return whose.agent === agent || whose.run === run;
}
