/** Under which name a lock is held for an agent, so that a kill can tell whose it is. */
import type { Actor } from '../../../adapters/state/port.ts';

export function lockOwner({ agent, run }: Actor): string {
  return `agent ${agent} run ${run}`;
}

/** Of what a run holds as a whole, whichever agents work in it. */
export function runOwner(run: string): string {
  return `run ${run}`;
}

/** The run that `owner` names. */
export function runOf(owner: string): string | undefined {
  return ownerPattern.exec(owner)?.[2];
}

/** Neither names of agents nor ids of runs hold a blank. */
const ownerPattern = /^(?:agent (\S+) )?run (\S+)$/;

/** Whether `owner` is one of that agent, or of that run. */
export function heldFor(owner: string, whose: Partial<Actor>): boolean {
  const [, agent, run] = ownerPattern.exec(owner) ?? [];
  if (run === undefined) return false;
  return (agent !== undefined && whose.agent === agent) || whose.run === run;
}
