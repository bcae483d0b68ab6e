/** Agents that agents start, and teams of them. */

import type { Tool } from '../../adapters/tools/port.ts';
import type { Artifacts } from '../../governance/evidence/index.ts';
import { parseDuration } from '../../kernel/index.ts';
import type { Seat } from '../../work/agents/index.ts';
import type { Children, KnownToTeams, LiveTeams, RunTeam, TeamSeat } from '../../work/teams/index.ts';
import { type Frame, once } from '../frame.ts';
import type { Rules } from '../governance/rules.ts';
import type { Stores } from '../state/stores.ts';
import type { Acts } from './acts.ts';
import type { Agents } from './agents.ts';

export interface Teams {
  children(): Promise<Children>;
  /** What an asker may ask about others; `release` ends what it has started. */
  teamOperations(seat: Seat): Promise<TeamSeat>;
  runTeam(): Promise<RunTeam>;
  readonly knownToTeams: KnownToTeams;
}

export interface TeamsParts {
  readonly stores: Stores;
  readonly rules: Rules;
  readonly artifacts: Artifacts;
  readonly agents: Pick<Agents, 'runAgent' | 'knownToAgents'>;
  readonly acts: Pick<Acts, 'slots' | 'useTool'>;
  readonly tools: ReadonlyMap<string, Tool>;
}

export function openTeams(
  { env, config }: Frame,
  { stores, rules, artifacts, agents, acts, tools }: TeamsParts,
): Teams {
  const load = (): Promise<typeof import('../../work/teams/index.ts')> => import('../../work/teams/index.ts');
  const live = once(async (): Promise<LiveTeams> => (await load()).liveTeams());
  const common = once(async () => ({
    ...{ env, artifacts },
    governor: await rules.governor(),
    ledger: await stores.ledger(),
    state: await stores.state(),
    standings: await rules.standings(),
  }));
  const children = once(async () =>
    (await load()).createChildren({
      ...(await common()),
      ...{ slots: acts.slots, known: agents.knownToAgents, runAgent: agents.runAgent },
      budgets: await rules.budgets(),
      roster: await rules.roster(),
      lifetimeMs: parseDuration(config.teams.lifetime),
    }),
  );
  const knownToTeams = { ...agents.knownToAgents, depth: config.teams.depth };
  const runTeam = once(async () =>
    (await load()).createRunTeam({
      ...(await common()),
      ...{ known: knownToTeams, tools, useTool: acts.useTool, runAgent: agents.runAgent },
      budgets: await rules.budgets(),
      children: await children(),
      teams: await live(),
    }),
  );
  return {
    ...{ runTeam, knownToTeams },
    children,
    async teamOperations(seat) {
      const { teamOperations } = await load();
      const own = await children();
      const operations = teamOperations({ ...(await common()), children: own, teams: await live() }, seat);
      return { operations, release: () => own.release(seat) };
    },
  };
}
