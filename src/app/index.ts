/**
 * Composition root: nothing else picks adapters. Parts open when they are first asked for, so that a command pays for
 * what it uses; whatever was opened is closed with the app.
 */
import { join } from 'node:path';
import type { Tool } from '../adapters/tools/port.ts';
import { type Artifacts, fileArtifacts } from '../governance/evidence/index.ts';
import { type Channel, governorMark } from '../governance/governor/index.ts';
import type { Env, IdSource } from '../kernel/index.ts';
import { closedPaths, type Project } from '../project.ts';
import { identifyOperator, type StandingParts } from '../runtime/bootstrap/index.ts';
import type { ProbeOptions, ProbeResult } from '../runtime/health/index.ts';
import type { Preflight } from '../runtime/preflight/index.ts';
import type { Config } from '../schemas/index.ts';
import {
  type EgressDoor,
  type Operation,
  type OperatorAct,
  type Seat,
  type SocketDoor,
  workspaceOf,
} from '../work/agents/index.ts';
import type { Outlook } from '../work/pipeline/index.ts';
import { type CheckpointDoor, openCheckpointDoor } from './context/checkpoints.ts';
import { type MemoryDoor, openMemoryDoor } from './context/memory.ts';
import { openStatusDoor, type StatusDoor } from './context/status.ts';
import { type FrameOptions, openFrame } from './frame.ts';
import { type AuthorityDoor, openAuthority } from './governance/authority.ts';
import { acquireWith, type IdentityDoor, openIdentities, standingWith } from './governance/identities.ts';
import { type Kills, openKills } from './governance/kills.ts';
import type { PublicKey } from './governance/ledger-key.ts';
import { openRules, type Rules } from './governance/rules.ts';
import { openBreakers } from './state/breakers.ts';
import { type Fleet, openFleet } from './state/fleet.ts';
import { openStores, type Stores, toolbox } from './state/stores.ts';
import { type Acts, openActs } from './work/acts.ts';
import { type Agents, openAgents } from './work/agents.ts';
import { openPreflight } from './work/preflight.ts';
import { openTeams, type Teams } from './work/teams.ts';

export { type PublicKey, toolbox };

export interface App
  extends AsyncDisposable,
    Acts,
    Agents,
    AuthorityDoor,
    CheckpointDoor,
    Fleet,
    IdentityDoor,
    Kills,
    MemoryDoor,
    Rules,
    StatusDoor,
    Stores,
    Teams {
  readonly env: Env;
  readonly ids: IdSource;
  readonly project: Project;
  readonly config: Config;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly artifacts: Artifacts;
  operator(as?: string): OperatorAct;
  /** What operators' acts on an agent's standing need. */
  standing(): Promise<StandingParts>;
  /** The real path of a folder that an agent may work in (relative to the project). @throws WORKSPACE_INVALID */
  workspace(folder: string): Promise<string>;
  /** Sets a state file aside, or clears the state server, and makes the state anew from the ledger. */
  rebuildState(): Promise<{ readonly agents: number; readonly aside: string | undefined }>;
  /** Looks at every part that a decision rests on. */
  probe(options?: ProbeOptions): Promise<readonly ProbeResult[]>;
  /** Looks at what must hold before this is run. */
  preflight(outlook: Outlook, signal: AbortSignal): Promise<Preflight>;
}

/** Opens the listed way out for one intent; the surface that speaks the proxy's protocol supplies it. */
export type EgressOpener = (
  app: App,
  channel: Channel,
  hosts: readonly string[],
  intent: string,
) => Promise<EgressDoor>;

/** Opens the socket of one running command; the surface that speaks its protocol supplies it. */
export type SocketOpener = (app: App, seat: Seat, more: readonly Operation[]) => Promise<SocketDoor>;

export interface AppOptions extends FrameOptions {
  readonly egress?: EgressOpener;
  readonly socket?: SocketOpener;
}

export function openApp(options: AppOptions): App {
  const frame = openFrame(options);
  const { env, ids, root, config, project } = frame;
  const guards = openBreakers(env);
  const stores = openStores(frame, guards);
  const world = { ...closedPaths(project, config), locate: stores.sandbox.locate };
  const artifacts = fileArtifacts(join(project.data, 'artifacts'), ids);
  const host = hostMark();
  const door = openIdentities(frame, stores, guards, () => rules.tiers());
  const kills = openKills(frame, stores, door, host);
  const rules: Rules = openRules(frame, stores, world, kills);
  const authority = openAuthority(frame, stores, rules);
  const tools = new Map(toolbox().map((tool) => [tool.name, tool]));
  const status = openStatusDoor(frame, rules);
  const memory = openMemoryDoor(frame, stores, rules);
  const checkpoints = openCheckpointDoor(frame, {
    stores,
    rules,
    artifacts,
    memory: memory.memory,
    status: status.status,
  });
  const acts = openActs(frame, {
    ...{ stores, rules, world, artifacts, host, tools },
    acquire: () => acquireWith(door, stores, rules, kills.freeze),
    openEgress: async (channel, hosts, intent) => options.egress?.(app, channel, hosts, intent),
    openSocket: async (seat, more) => options.socket?.(app, seat, more),
    teamOperations: (seat) => teams.teamOperations(seat),
    contextSeat: ({ channel, parent }) => ({
      home: `agent/${channel.agent}`,
      memory: () => memory.memoryFor(channel, parent),
      checkpoints: () => checkpoints.checkpointsFor(channel, parent),
      updateStatus: (directory, wanted) => status.updateStatusFor(channel, directory, wanted, parent),
      views: status.statusViewsFor(channel, parent),
    }),
  });
  const agents = openAgents(frame, { stores, rules, acts, artifacts, tools, breakers: guards });
  const teams = openTeams(frame, { stores, rules, artifacts, agents, acts, tools });
  const workspace = (folder: string): Promise<string> | string =>
    workspaceOf(root, folder, [...world.hiddenPaths, ...world.protectedPaths, join(root, '.git')]);
  const fleet = openFleet(frame, {
    ...{ stores, rules, acts, artifacts, tools },
    hidden: [project.data, project.keys],
    workspace: async (folder) => workspace(folder),
    runAgent: agents.runAgent,
    runTeam: teams.runTeam,
  });
  const { ledger, state, sandbox, heldSecrets } = stores;
  const { policy, roster } = rules;

  const app: App = {
    ...{ env, ids, project, config, artifacts },
    ...{
      ...stores,
      ...rules,
      ...kills,
      ...acts,
      ...agents,
      ...authority,
      ...checkpoints,
      ...door,
      ...fleet,
      ...memory,
      ...status,
      ...teams,
    },
    tools,
    operator: (as) => identifyOperator(config, as),
    standing: () => standingWith(door, stores, rules, kills.stopMoved),
    workspace: async (folder) => workspace(folder),
    async rebuildState() {
      // What other hosts have ended goes on record here first. That it cannot be read is what it is rebuilt for.
      if (config.state.url !== undefined) await roster().catch(() => undefined);
      const aside = await stores.clearState();
      await (await roster()).reconcile();
      return { agents: (await (await state()).registry.list()).length, aside };
    },
    async probe(options) {
      const { probeAll } = await import('../runtime/health/index.ts');
      const { stateHealth, vaultHealth, checkSigning: sign } = stores;
      const unfinishedKills = async (): Promise<readonly string[]> =>
        (await kills.unfinishedKills()).map(({ deed, agent, run, reason }) => `${deed} of ${agent ?? run} (${reason})`);
      const workers = config.engine === 'bullmq' ? fleet.listed : undefined;
      const kept = { ledger, state, policy, secrets: heldSecrets };
      const open = { ...kept, stateHealth, vaultHealth, sign, unfinishedKills, workers };
      return probeAll({ env, dataDir: project.data, sandbox, ...open }, options);
    },
    preflight: (outlook, signal) =>
      openPreflight(app, { hidden: world.hiddenPaths, protected: world.protectedPaths }, outlook, signal),
    [Symbol.asyncDispose]: () => frame[Symbol.asyncDispose](),
  };
  return app;
}

function hostMark(): string {
  const { host, boot } = governorMark();
  return `${host}/${boot}`;
}
