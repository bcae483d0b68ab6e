/**
 * Whether an actor may go on, by the ledger and by the registry: whichever allows less. The registry is quick and shared,
 * and whoever can write to its server could raise a tier there, or bring back what was killed; against the record of this
 * project they can only take away.
 */
import type { Actor, AgentRecord, Standing } from '../../adapters/state/port.ts';
import { type Entry, tierLevel } from '../../schemas/index.ts';
import { everyEntry, type Ledger } from '../ledger/index.ts';
import { emptyFleet, takeAgent, takeKilledRun } from './fold.ts';

const mostFew = 32;

/** By the ledger alone, also as other processes write it. Each question reads only what came since the last one. */
export function recordedStandings(ledger: Pick<Ledger, 'query'>): (actor: Actor) => Standing {
  const fleet = emptyFleet();
  const stopped = new Map<string, string>();
  let after = -1;
  const take = (entry: Entry): void => {
    if (entry.kind === 'agent') takeAgent(fleet, entry);
    else if (entry.kind === 'kill') takeKilledRun(stopped, entry);
    after = Math.max(after, entry.seq);
  };
  return ({ agent, run }) => {
    // Mostly it is only what the last act wrote: to read that is cheaper than to search for its kinds.
    const few = after < 0 ? [] : ledger.query({ after, limit: mostFew });
    if (after < 0 || few.length === mostFew) {
      const newest = ledger.query({ newestFirst: true, limit: 1 });
      for (const entry of everyEntry(ledger, { kinds: ['agent', 'kill'], after })) take(entry);
      // Searched up to here, whatever it was about.
      for (const { seq } of newest) after = Math.max(after, seq);
    } else for (const entry of few) take(entry);
    return { agent: fleet.agents.get(agent), stopped: stopped.get(run) };
  };
}

/** What both sides grant; an agent that one of them does not know is unknown. */
export function leastOf(recorded: Standing, told: Standing): Standing {
  const stopped = recorded.stopped ?? told.stopped;
  if (!recorded.agent || !told.agent) return { agent: undefined, stopped };
  const [worse, other] =
    gravity[told.agent.status] > gravity[recorded.agent.status]
      ? [told.agent, recorded.agent]
      : [recorded.agent, told.agent];
  const tier = tierLevel(other.tier) < tierLevel(worse.tier) ? other.tier : worse.tier;
  return { agent: { ...worse, tier }, stopped };
}

const gravity: Readonly<Record<AgentRecord['status'], number>> = { active: 0, frozen: 1, retired: 2, revoked: 3 };
