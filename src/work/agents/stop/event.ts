/** The word that something must stop, as it travels by the state store's events. The registry says the same, for good. */
import { z } from 'zod';
import type { Events, StateEvent } from '../../../adapters/state/port.ts';

export interface Halt {
  /** Names of agents: whatever runs in their name stops. */
  readonly agents: readonly string[];
  /** Ids of runs: whatever runs as part of them stops. */
  readonly runs: readonly string[];
  /** What has become of them: `revoked`, `frozen`, `moved to T0`, `stopped: …`. */
  readonly became: string;
}

const topic = 'halt';
/** Of 64 characters each, with quotes and commas: well within what an event may hold. */
const mostNames = 500;

const haltSchema = z.strictObject({
  agents: z.array(z.string()),
  runs: z.array(z.string()),
  became: z.string(),
});

/** One event, as long as it names at most 500. The number of the last. */
export async function announceHalt(events: Events, { agents, runs, became }: Halt): Promise<number> {
  let last = 0;
  for (let from = 0; from === 0 || from < Math.max(agents.length, runs.length); from += mostNames) {
    const part = { agents: agents.slice(from, from + mostNames), runs: runs.slice(from, from + mostNames) };
    last = await events.publish(topic, { ...part, became: became.slice(0, 4000) });
  }
  return last;
}

/** Undefined for an event of another kind. */
export function readHalt({ topic: of, body }: StateEvent): Halt | undefined {
  if (of !== topic) return undefined;
  // Whoever wrote what we cannot read is found by the heartbeat, which asks the registry.
  return haltSchema.safeParse(body).data;
}
