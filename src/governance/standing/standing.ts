/**
 * Whether an actor may go on, by the ledger and by the registry: whichever allows less. The registry is quick and shared,
 * and whoever can write to its server could raise a tier there, or bring back what was killed; against the record of this
 * project they can only take away. One that an agent started is held to all that stand above it as well.
 */
import type { Actor, AgentRecord, Registry, Standing } from '../../adapters/state/port.ts';
import { type Entry, tierLevel } from '../../schemas/index.ts';
import { gravity, type Line, type Member, standingIn } from '../delegation/index.ts';
import { everyEntry, type Ledger } from '../ledger/index.ts';
import { emptyFleet, takeAgent, takeKilledRun } from './fold.ts';

const mostFew = 32;

export interface Standings {
  /** By the ledger alone, also as other processes write it. */
  recorded(actor: Actor): Standing;
  /** By both, in the order of the question; the registry is asked once for all. @throws STATE_UNAVAILABLE */
  of(registry: Pick<Registry, 'standings'>, actors: readonly Actor[]): Promise<readonly Standing[]>;
  /** As the ledger tells, itself first. */
  line(agent: string): Line;
  /** Agents that live below it, however deep. */
  below(agent: string): readonly string[];
  /** Milliseconds since the epoch, by which times are over. */
  now(): number;
}

/** Each question reads only what came since the last one. @param now milliseconds since the epoch */
export function openStandings(ledger: Pick<Ledger, 'query'>, now: () => number): Standings {
  const fleet = emptyFleet();
  const stopped = new Map<string, string>();
  let after = -1;
  const take = (entry: Entry): void => {
    if (entry.kind === 'agent') takeAgent(fleet, entry);
    else if (entry.kind === 'kill') takeKilledRun(stopped, entry);
    after = Math.max(after, entry.seq);
  };
  function catchUp(): void {
    // Mostly it is only what the last act wrote: to read that is cheaper than to search for its kinds.
    const few = after < 0 ? [] : ledger.query({ after, limit: mostFew });
    if (after < 0 || few.length === mostFew) {
      const newest = ledger.query({ newestFirst: true, limit: 1 });
      for (const entry of everyEntry(ledger, { kinds: ['agent', 'kill'], after })) take(entry);
      // Searched up to here, whatever it was about.
      for (const { seq } of newest) after = Math.max(after, seq);
    } else for (const entry of few) take(entry);
  }
  const lineOf = (agent: string): Line => lineIn((name) => memberOf(name), agent);
  const memberOf = (name: string): Member => ({ name, agent: fleet.agents.get(name), handed: fleet.handed.get(name) });
  const recorded = ({ agent, run }: Actor): Standing => {
    catchUp();
    return { agent: standingIn(lineOf(agent), now()), stopped: stopped.get(run) };
  };

  return {
    ...{ recorded, now },
    async of(registry, actors) {
      // Who stands above whom never changes once it is known.
      if (actors.some(({ agent }) => !fleet.agents.has(agent))) catchUp();
      const lines = actors.map(({ agent }) => lineOf(agent));
      const asked = lines.flatMap((line, i) => line.map(({ name }) => ({ agent: name, run: actors[i]?.run ?? '' })));
      const told = await registry.standings(asked);
      // After the registry, so that what was recorded while it answered counts.
      catchUp();
      let from = 0;
      return lines.map(([first, ...above], i): Standing => {
        const { run } = actors[i] ?? { run: '' };
        const both = ({ name, handed }: Member, j: number): Member => {
          const own = { agent: fleet.agents.get(name), stopped: undefined };
          const heard = told[from + j] ?? unknown;
          return { name, handed, agent: leastOf(own, { ...heard, stopped: undefined }).agent };
        };
        const line: Line = [both(memberOf(first.name), 0), ...above.map((member, j) => both(member, j + 1))];
        const mark = stopped.get(run) ?? told[from]?.stopped;
        from += line.length;
        return { agent: standingIn(line, now()), stopped: mark };
      });
    },
    line(agent) {
      catchUp();
      return lineOf(agent);
    },
    below(agent) {
      catchUp();
      const at = now();
      return [...fleet.handed.keys()].filter((name) => {
        const line = lineOf(name);
        return line.slice(1).some((one) => one.name === agent) && standingIn(line, at)?.status === 'active';
      });
    },
  };
}

const unknown: Standing = { agent: undefined, stopped: undefined };
/** More than any configuration allows. What claims to stand deeper has no standing. */
const deepest = 64;

export function lineIn(memberOf: (name: string) => Member, agent: string): Line {
  const line: [Member, ...Member[]] = [memberOf(agent)];
  for (let parent = line[0].handed?.parent; parent !== undefined; parent = line.at(-1)?.handed?.parent) {
    line.push(line.length < deepest ? memberOf(parent) : { name: parent, agent: undefined, handed: undefined });
    if (line.length > deepest) break;
  }
  return line;
}

/** What both sides grant; an agent that one of them does not know is unknown. */
export function leastOf(recorded: Standing, told: Standing): Standing {
  const stopped = recorded.stopped ?? told.stopped;
  if (!recorded.agent || !told.agent) return { agent: undefined, stopped };
  const [worse, other]: readonly [AgentRecord, AgentRecord] =
    gravity[told.agent.status] > gravity[recorded.agent.status]
      ? [told.agent, recorded.agent]
      : [recorded.agent, told.agent];
  const tier = tierLevel(other.tier) < tierLevel(worse.tier) ? other.tier : worse.tier;
  return { agent: { ...worse, tier }, stopped };
}
