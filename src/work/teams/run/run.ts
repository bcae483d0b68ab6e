/**
 * A team's run: one intent of its lead over all of it, held to the highest tier among its members, whose outcome is what
 * the strategy came to. Resuming reads the record: what an attempt whose driver died has finished is not done again.
 */
import type { Tool } from '../../../adapters/tools/port.ts';
import { type Budgets, limitsOf } from '../../../governance/budgets/index.ts';
import type { Artifacts } from '../../../governance/evidence/index.ts';
import type { Acted, BeginOptions, Channel, Effected, Governor } from '../../../governance/governor/index.ts';
import type { Ledger } from '../../../governance/ledger/index.ts';
import { AgovError, type Env, parseDuration, sha256Hex } from '../../../kernel/index.ts';
import { type Tier, tierLevel } from '../../../schemas/index.ts';
import { type AgentResult, activeAgent, type RunAgent, type Seat, type UseTool } from '../../agents/index.ts';
import { type ChildEnd, type Children, failedWith, runByDefinition } from '../children/index.ts';
import { type KnownToTeams, mustTeam, type TeamPlan } from '../language/index.ts';
import type { LiveTeams } from '../live.ts';
import {
  type Done,
  type Ground,
  type Place,
  strategies,
  type Task,
  type TeamEnd,
  type Work,
} from '../strategies/index.ts';
import { earlierEnd } from './earlier.ts';
import { rolesOf, wishFor } from './roles.ts';

export interface TeamRunParts {
  readonly env: Env;
  readonly governor: Governor;
  readonly ledger: Ledger;
  readonly artifacts: Artifacts;
  readonly budgets: Budgets;
  readonly children: Children;
  readonly teams: LiveTeams;
  readonly known: KnownToTeams;
  readonly tools: ReadonlyMap<string, Tool>;
  useTool(): Promise<UseTool>;
  runAgent(): Promise<RunAgent>;
}

export interface TeamJob extends Task {
  readonly team: string;
  readonly run: string;
  readonly workspace: string;
  /** What its lead spends from. */
  readonly payer?: Pick<Channel, 'budget' | 'overdraws'>;
  readonly begin: BeginOptions;
  /** By which a later attempt knows the same work again. */
  readonly slot: string;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
}

export type RunTeam = (job: TeamJob) => Promise<Acted<AgentResult>>;

/** @throws NOT_FOUND, TEAM_INVALID, AGENT_NOT_ACTIVE, DENIED where the lead is registered at another tier */
export function createRunTeam(parts: TeamRunParts): RunTeam {
  return async (job) => {
    const plan = mustTeam(job.team, parts.known);
    const channel: Channel = { agent: plan.value.lead, run: job.run, workspace: job.workspace, ...job.payer };
    const { tier } = await activeAgent(parts.governor, channel);
    if (tier !== plan.leadTier) throw unfit(plan, tier);
    const intent = {
      action: 'pipeline.run',
      resource: `team/${plan.value.name}`,
      args: { team: sha256Hex(plan.text), strategy: plan.value.strategy, task: sha256Hex(job.task), slot: job.slot },
    } as const;
    const begin = { ...job.begin, facts: { target: { tier: highest(plan) } } };
    return parts.governor.act(channel, intent, (id) => perform(parts, job, plan, channel, id), begin);
  };
}

function unfit({ value: { name, lead }, leadTier }: TeamPlan, tier: Tier): AgovError {
  return new AgovError('DENIED', {
    what: `The team "${name}" is led by "${lead}" at ${leadTier}, and that agent is registered at ${tier}.`,
    fix: `Change "tier" in agents/${lead}.yaml, or move the agent: agov agent promote ${lead} --to ${leadTier}`,
  });
}

/** A team starts agents, so it is held to the highest tier among them. */
function highest({ roles }: TeamPlan): Tier {
  const all = [...roles.values()].flatMap(({ tier, team }) => (team ? [tier, highest(team)] : [tier]));
  return all.reduce<Tier>((most, tier) => (tierLevel(tier) > tierLevel(most) ? tier : most), 'T0');
}

async function perform(
  parts: TeamRunParts,
  job: TeamJob,
  plan: TeamPlan,
  channel: Channel,
  id: string,
): Promise<Effected<AgentResult>> {
  const { env, artifacts, budgets } = parts;
  const { run, slot } = job;
  const limits = plan.value.budget && limitsOf(plan.value.budget);
  const above = channel.budget === undefined ? {} : { parent: channel.budget, overdraws: channel.overdraws };
  const scope =
    limits &&
    (await budgets.openScope({
      run,
      agent: channel.agent,
      name: `team ${plan.value.name}`,
      limits,
      shrink: true,
      key: `team:${slot}`,
      ...above,
    }));
  const late = new AbortController();
  const ms = Math.min(
    plan.value.lifetime === undefined ? Number.POSITIVE_INFINITY : parseDuration(plan.value.lifetime),
    job.timeoutMs ?? Number.POSITIVE_INFINITY,
  );
  using _timeout = Number.isFinite(ms) ? env.timer(() => late.abort(new Error('Its time is over.')), ms) : undefined;
  const lead: Seat = {
    channel: { ...channel, team: id, ...(scope === undefined ? {} : { budget: scope }) },
    parent: id,
  };
  const signal = AbortSignal.any([job.signal, late.signal]);
  const ended = await conduct(parts, plan, {
    authority: lead,
    lead,
    task: job,
    slot,
    signal,
    workspace: job.workspace,
  });
  const kept = [
    await artifacts.put('team.yaml', plan.text),
    ...(ended.text === '' ? [] : [await artifacts.put('stdout', ended.text)]),
    ...(ended.output === undefined ? [] : [await artifacts.put('output', JSON.stringify(ended.output))]),
  ];
  const exitCode = ended.status === 'ok' ? 0 : 1;
  const why = ended.reason === undefined ? {} : { reason: ended.reason.slice(0, 2000) };
  const facts = { kind: 'team', team: plan.value.name, strategy: plan.value.strategy, end: ended.end, exitCode };
  return {
    outcome: {
      status: ended.status,
      facts,
      artifacts: kept,
      ...(ended.status === 'ok' ? {} : { reason: `It ended: ${ended.end}.`, ...why }),
    },
    value: {
      end: ended.end,
      exitCode,
      text: ended.text,
      artifacts: kept,
      ...why,
      ...(ended.output === undefined ? {} : { output: ended.output }),
    },
  };
}

interface Scene {
  /** In whose name members are started. */
  readonly authority: Seat;
  readonly lead: Seat;
  readonly task: Task;
  readonly slot: string;
  readonly signal: AbortSignal;
  readonly workspace: string;
}

/** Its strategy, with all that have a part in it; they are over when it is. */
async function conduct(parts: TeamRunParts, plan: TeamPlan, scene: Scene): Promise<TeamEnd> {
  const { lead, signal } = scene;
  const roles = rolesOf(parts, plan, scene, (place, task) => nestedWork(parts, scene, place, task));
  using _team = parts.teams.add(roles);
  const stopped = (): void => void parts.children.release(lead);
  signal.addEventListener('abort', stopped, { once: true });
  try {
    signal.throwIfAborted();
    const ended = await strategies[plan.value.strategy](groundOf(parts, plan, scene));
    return signal.aborted ? { ...ended, status: 'failed', end: 'stopped' } : ended;
  } catch (error) {
    if (!signal.aborted) throw error;
    return { status: 'failed', end: 'stopped', reason: String(signal.reason?.message ?? 'It was stopped.'), text: '' };
  } finally {
    signal.removeEventListener('abort', stopped);
    await parts.children.release(lead);
  }
}

function groundOf(parts: TeamRunParts, plan: TeamPlan, scene: Scene): Ground {
  const { lead, signal, task } = scene;
  return {
    ...{ team: plan, root: parts.known.root, seat: lead, signal, task: task.task, input: task.input },
    run: (place, given, work) => runPlace(parts, plan, scene, place, given, work),
    async lead() {
      const job = { channel: { ...lead.channel, workspace: scene.workspace }, intent: lead.parent, signal };
      return runByDefinition(parts, { definition: plan.value.lead, ...task }, job);
    },
    async use({ channel, parent }, name, args) {
      const tool = parts.tools.get(name);
      if (!tool) throw new AgovError('TOOL_MISSING', { what: `There is no tool "${name}".` });
      const acted = await (await parts.useTool())({ channel, tool, args, begin: { parent }, signal });
      if (acted.verdict === 'allow') return acted.value;
      throw new AgovError('DENIED', { what: acted.decision.reasons[0] ?? `${name} was refused.` });
    },
  };
}

async function runPlace(
  parts: TeamRunParts,
  plan: TeamPlan,
  scene: Scene,
  place: Place,
  task: Task,
  work: Work | undefined,
): Promise<Done> {
  const { authority, lead, signal } = scene;
  const slot = `${scene.slot}/${place.plan.role}-${place.index + 1}`;
  const before = await earlierEnd(parts, lead.channel, slot, task);
  if (before) return { ...place, ...before };
  signal.throwIfAborted();
  const whole = nestedWork(parts, scene, place, task);
  const own: NonNullable<typeof whole> | undefined = work
    ? (job) =>
        work(job, (workspace) =>
          runByDefinition(
            parts,
            { definition: place.plan.definition, ...task },
            workspace === undefined ? job : { ...job, channel: { ...job.channel, workspace } },
          ),
        )
    : whole;
  const wish = wishFor(parts, plan, place.plan, lead.channel);
  const spawned = await parts.children
    .spawn(
      () => ({
        asker: authority,
        wish: {
          ...wish,
          ...task,
          under: lead.channel.agent,
          payer: lead.channel.budget,
          slot,
          ...(own ? { work: own } : {}),
        },
      }),
      lead,
    )
    .catch((error: unknown) => failedWith(error instanceof Error ? error.message : String(error)));
  if ('status' in spawned) return { ...place, name: '', end: spawned };
  if (spawned.verdict !== 'allow')
    return { ...place, name: '', end: failedWith(spawned.decision.reasons[0] ?? 'It was refused.', 'denied') };
  return { ...place, name: spawned.child.name, end: await spawned.child.end };
}

/** A member that is a team: its lead stands in its place, and its own strategy is its work. */
function nestedWork(
  parts: TeamRunParts,
  scene: Scene,
  { plan: role, index }: Place,
  task: Task,
): ((job: { channel: Channel; intent: string; signal: AbortSignal }) => Promise<ChildEnd>) | undefined {
  const { team } = role;
  if (!team) return undefined;
  return async ({ channel, intent, signal }) => {
    const limits = team.value.budget && limitsOf(team.value.budget);
    const above = channel.budget === undefined ? {} : { parent: channel.budget };
    const scope =
      limits &&
      (await parts.budgets.openScope({
        run: channel.run,
        agent: channel.agent,
        name: `team ${team.value.name}`,
        limits,
        shrink: true,
        key: `team:${intent}`,
        ...above,
      }));
    const lead: Seat = {
      channel: { ...channel, team: intent, ...(scope === undefined ? {} : { budget: scope }) },
      parent: intent,
    };
    const ended = await conduct(parts, team, {
      ...scene,
      lead,
      task,
      signal,
      slot: `${scene.slot}/${role.role}-${index + 1}`,
    });
    return { ...ended, exitCode: ended.status === 'ok' ? 0 : 1 };
  };
}
