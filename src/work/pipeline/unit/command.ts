/** The one intent of an attempt: a command in the sandbox, or a tool. */
import type { Writable } from 'node:stream';
import type { Tool } from '../../../adapters/tools/port.ts';
import { adopt, type Budgets } from '../../../governance/budgets/index.ts';
import type { Acted, BeginOptions, Channel, EarlyOutcome } from '../../../governance/governor/index.ts';
import { AgovError, isAgovError, parseDuration } from '../../../kernel/index.ts';
import { type ArtifactRef, consentOf, type Stage } from '../../../schemas/index.ts';
import type { Exec, RunAgent, UseTool } from '../../agents/index.ts';
import type { RunTeam } from '../../teams/index.ts';
import type { Worker } from '../journal/index.ts';
import { lockVariable } from '../language/index.ts';
import type { Purse } from './budget.ts';

export interface CommandParts {
  readonly exec: Exec;
  readonly useTool: UseTool;
  readonly tools: ReadonlyMap<string, Tool>;
  /** Without it a stage with a task is refused. */
  readonly runAgent?: RunAgent;
  /** Without it a stage of a team is refused. */
  readonly runTeam?: RunTeam;
  /** Without them a job with a purse is refused. */
  readonly budgets?: Budgets;
  output?(unit: string, stream: 'stdout' | 'stderr'): Writable | undefined;
}

export interface CommandJob {
  readonly run: string;
  /** `unitKey`, under which its output is shown. */
  readonly key: string;
  /** Every `${{ … }}` filled in. */
  readonly stage: Stage;
  readonly workspace: string;
  /** What it spends from; absent where nothing limits it. */
  readonly purse?: Purse | undefined;
  /** Fencing tokens of the locks that are held for it, by name. */
  readonly locks: Readonly<Record<string, number>>;
  /** The attempt, and its entry, which may still be on its way to the ledger: nothing may be done before it is there. */
  readonly begun: Begun;
  /** Where it is done in this process, its outcome may come later than its answer. */
  readonly early?: EarlyOutcome;
  readonly signal: AbortSignal;
}

export interface Begun {
  readonly attempt: number;
  readonly id: string;
  /** What the intent rests on in the ledger, where it is not the entry of the attempt: that may be in another ledger. */
  readonly after?: string;
  readonly recorded: Promise<void>;
  /** By a driver before this one: it may have been done already. */
  readonly taken?: true;
}

/** By whom it was done, where that was not this process. */
export interface Elsewhere {
  readonly worker: Worker;
  /** What the stage declares, as the worker kept it. @throws AgovError where it could not be kept */
  kept(): readonly ArtifactRef[];
}

export type Performed = Acted<unknown> & {
  readonly elsewhere?: Elsewhere;
  /** It was stopped since the time of its budget was over. */
  readonly overtime?: true;
};

/** @throws AgovError WORKER_LOST where nobody will ever tell what came of it; that it is lost is on record then */
export type Perform = (job: CommandJob) => Promise<Performed>;

/** In this process. */
export function createPerform(parts: CommandParts): Perform {
  return (job) => act(parts, job);
}

async function act(parts: CommandParts, job: CommandJob): Promise<Performed> {
  const { budgets } = parts;
  if (!job.purse) return perform(parts, job, {}, undefined);
  const { budget: handed, overdraws } = job.purse;
  const budget = budgets ? await adopt(budgets, handed) : (handed.at(-1)?.id ?? '');
  const leftMs = (): number | undefined => (overdraws ? undefined : budgets?.remaining(budget).ms);
  const isOver = (): boolean => leftMs() === 0;
  try {
    const acted = await perform(parts, job, { budget, ...(overdraws ? { overdraws } : {}) }, leftMs());
    const late = acted.verdict === 'allow' && acted.outcome.status === 'failed' && isOver();
    return late ? { ...acted, overtime: true } : acted;
  } catch (error) {
    if (!isAgovError(error, 'TOOL_FAILED') || !isOver()) throw error;
    throw new AgovError('BUDGET_EXCEEDED', { what: overtimeText, cause: error });
  }
}

export const overtimeText = 'The minutes of its budget are over.';
/** A timer may fire a moment before the clock says so. */
const graceMs = 10;
/** Beyond it Node's timers fire at once. */
const longestTimerMs = 2 ** 31 - 1 - graceMs;

async function perform(
  parts: CommandParts,
  { run, stage, key, signal, workspace, locks, begun, early }: CommandJob,
  payer: Pick<Channel, 'budget' | 'overdraws'>,
  leftMs: number | undefined,
): Promise<Acted<unknown>> {
  const channel: Channel = { agent: stage.agent, run, workspace, ...payer };
  const begin: BeginOptions = {
    parent: begun.id,
    // The intent goes into the same transaction, or into a later one.
    after: begun.after ?? begun.id,
    ...consentOptions(stage.gate),
  };
  const most = Math.min(
    stage.timeout === undefined ? Number.POSITIVE_INFINITY : parseDuration(stage.timeout),
    leftMs === undefined || leftMs > longestTimerMs ? Number.POSITIVE_INFINITY : leftMs + graceMs,
  );
  const limits = Number.isFinite(most) ? { timeoutMs: most } : {};
  if (stage.uses !== undefined) {
    const tool = parts.tools.get(stage.uses);
    if (!tool) throw new AgovError('NOT_FOUND', { what: `There is no tool "${stage.uses}".` });
    return parts.useTool({ channel, tool, args: stage.with ?? {}, begin, signal, ...limits });
  }
  const stdout = parts.output?.(key, 'stdout');
  const stderr = parts.output?.(key, 'stderr');
  const shown = { ...(stdout ? { stdout } : {}), ...(stderr ? { stderr } : {}) };
  if (stage.team !== undefined && stage.task !== undefined) {
    if (!parts.runTeam) throw new AgovError('INTERNAL', { what: 'Teams are not run here.' });
    const work = { team: stage.team, task: stage.task, input: stage.with };
    return parts.runTeam({ ...work, run, workspace, payer, begin, slot: key, signal, ...limits });
  }
  if (stage.task !== undefined) {
    if (!parts.runAgent) throw new AgovError('INTERNAL', { what: 'Agents are not run by their definitions here.' });
    return parts.runAgent({ channel, task: stage.task, input: stage.with, begin, signal, ...limits, ...shown });
  }
  return parts.exec({
    channel,
    argv: commandOf(stage),
    env: stage.env,
    marks: Object.fromEntries(Object.entries(locks).map(([name, token]) => [lockVariable(name), String(token)])),
    secrets: stage.secrets,
    stdin: 'none',
    begin: { ...begin, early },
    signal,
    ...limits,
    ...shown,
  });
}

/** What is left of a gate when it is the policy's turn. */
export function consentOptions(gate: Stage['gate']): BeginOptions {
  const { quorum, roles, reason } = consentOf(gate) ?? {};
  return {
    ...(quorum === undefined ? {} : { requireApprovals: quorum }),
    ...(roles === undefined ? {} : { roles }),
    ...(reason === undefined ? {} : { asks: reason }),
  };
}

export function commandOf({ run }: Stage): readonly [string, ...string[]] {
  if (typeof run === 'string') return ['sh', '-ceu', run];
  const [program, ...args] = run ?? [];
  if (program === undefined)
    throw new AgovError('INTERNAL', { what: 'A stage without command came through validation.' });
  return [program, ...args];
}
