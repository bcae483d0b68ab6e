/** What performs: commands and tools in the sandbox of their agent's tier, with the way out that it lists. */
import { join } from 'node:path';
import type { SandboxProfile } from '../../adapters/sandbox/port.ts';
import type { Tool } from '../../adapters/tools/port.ts';
import type { Artifacts } from '../../governance/evidence/index.ts';
import type { Channel, World } from '../../governance/governor/index.ts';
import { compileSandbox, leaseMs, sandboxFor } from '../../governance/tiers/index.ts';
import { parseDuration } from '../../kernel/index.ts';
import { gitPaths } from '../../project.ts';
import type { Tier } from '../../schemas/index.ts';
import {
  type Acquire,
  type AgentOperations,
  type ContextSeat,
  contextOperations,
  createExec,
  createExplainTool,
  createOperations,
  createUseTool,
  createWatch,
  type EgressDoor,
  type Exec,
  type ExplainTool,
  type Operation,
  runSlots,
  type Seat,
  type Slots,
  type SocketDoor,
  type UseTool,
  type UseToolParts,
} from '../../work/agents/index.ts';
import type { TeamSeat } from '../../work/teams/index.ts';
import { type Frame, once } from '../frame.ts';
import type { Rules } from '../governance/rules.ts';
import type { Stores } from '../state/stores.ts';

export interface Acts {
  exec(): Promise<Exec>;
  useTool(): Promise<UseTool>;
  /** What the rules would say to a tool's use. */
  explainTool(): Promise<ExplainTool>;
  /** What one asker may ask, whatever carries its words; `more` besides what everybody may. */
  operations(seat: Seat, more?: readonly Operation[]): Promise<AgentOperations>;
  /** What bounds how much a run has started at once. */
  readonly slots: Slots;
}

export interface ActsParts {
  readonly stores: Stores;
  readonly rules: Rules;
  readonly world: World;
  readonly artifacts: Artifacts;
  readonly host: string;
  /** How an agent's own identity is got. */
  acquire(): Promise<Acquire>;
  /** Opens a way out to the listed hosts; without it there is none. */
  openEgress(channel: Channel, hosts: readonly string[], intent: string): Promise<EgressDoor | undefined>;
  /** Opens a command's socket; without it there is none. */
  openSocket(seat: Seat, more: readonly Operation[]): Promise<SocketDoor | undefined>;
  readonly tools: ReadonlyMap<string, Tool>;
  /** What an asker may ask about others. */
  teamOperations(seat: Seat): Promise<TeamSeat>;
  /** The memory, checkpoints and status of an asker. */
  contextSeat(seat: Seat): ContextSeat;
}

/** Commands and tools that one run has asked for over its sockets and that have not ended, however deep. */
const mostStartedAtOnce = 16;

export function openActs(
  frame: Frame,
  { stores, rules, world, artifacts, host, acquire, openEgress, openSocket, tools, ...parts }: ActsParts,
): Acts {
  const { env, config, root } = frame;
  const { sandbox, state, secrets, ledger } = stores;
  const { governor, tiers, approvals } = rules;
  const sandboxes = once(async () => compileSandbox(await tiers(), { tools: config.tools, hosts: config.hosts }));

  const profiles = once(async () => {
    const compiled = await sandboxes();
    return (channel: Channel, tier: Tier): SandboxProfile => {
      const { access } = sandboxFor(compiled[tier], 'process.exec');
      return {
        workspace: channel.workspace,
        access: access === 'read-write' ? 'read-write' : 'read-only',
        hidden: world.hiddenPaths,
        protected: [...world.protectedPaths, ...gitPaths(channel.workspace)],
        // A worktree's history lies in the main checkout.
        readOnly: channel.workspace === root ? [] : [join(root, '.git')],
        readWrite: [],
        network: { mode: 'none' },
      };
    };
  });

  const egress = once(async () => {
    const compiled = await sandboxes();
    return async (channel: Channel, tier: Tier, intent: string): Promise<EgressDoor | undefined> => {
      const { network, hosts } = sandboxFor(compiled[tier], 'process.exec');
      return network === 'listed' ? openEgress(channel, hosts, intent) : undefined;
    };
  });

  // One for both, so that all that this process runs shares one heartbeat and follows the events once.
  const watch = once(async () =>
    createWatch({
      ...{ env, host, sandbox: sandbox.kind, graceMs: parseDuration(config.state.grace) },
      state: await state(),
      standings: await rules.standings(),
      recover: async () => (await rules.roster()).reconcile(),
    }),
  );

  const exec = once(async () => {
    const declared = await tiers();
    return createExec({
      ...{ env, sandbox, secrets, artifacts, openSocket },
      // First, since it opens the ledger: where that cannot be written, it is what the reader must hear of.
      governor: await governor(),
      watch: await watch(),
      acquire: await acquire(),
      keepOutput: config.output.keep,
      profileOf: await profiles(),
      leaseMs: (tier) => leaseMs(declared, tier),
      openEgress: await egress(),
    });
  });

  const toolParts = once(
    async (): Promise<UseToolParts> => ({
      ...{ sandbox, artifacts },
      governor: await governor(),
      watch: await watch(),
      ledger: await ledger(),
      approvals: await approvals(),
      openEgress: await egress(),
      projectRoot: root,
      protectedBranches: config.branches.protected,
      environments: config.terraform.environments,
      profileOf: await profiles(),
    }),
  );
  const useTool = once(async () => createUseTool(await toolParts()));
  const explainTool = once(async () => createExplainTool(await toolParts()));
  // One for all that this process starts, since a run may ask from several sockets.
  const slots = runSlots(mostStartedAtOnce);
  const operations: Acts['operations'] = async (seat, more) => {
    const common = { env, artifacts, tools, slots, governor: await governor(), ledger: await ledger() };
    const asked = { approvals: await approvals(), budgets: await rules.budgets(), state: await state() };
    const acts = { exec: await exec(), useTool: await useTool(), explainTool: await explainTool() };
    const { operations: others, release } = await parts.teamOperations(seat);
    const context = contextOperations(parts.contextSeat(seat));
    const made = createOperations({ ...common, ...asked, ...acts }, seat, [...others, ...context, ...(more ?? [])]);
    return {
      table: made.table,
      async [Symbol.asyncDispose]() {
        await release();
        await made[Symbol.asyncDispose]();
      },
    };
  };

  return { exec, useTool, explainTool, operations, slots };
}
