/** Tries a pipeline on the policy before anything starts: who would do what, and what the rules would say to it. */
import type { Tool } from '../../../adapters/tools/port.ts';
import type { Channel, Governor } from '../../../governance/governor/index.ts';
import { isAgovError, messageOf } from '../../../kernel/index.ts';
import type { Pipeline, Stage, Tier, Verdict } from '../../../schemas/index.ts';
import { type ExplainAgent, type ExplainTool, execIntent } from '../../agents/index.ts';
import { emptyRun, type RunState, type Unit, unitKey } from '../journal/index.ts';
import { conditionsOf, fillUnit, isSettled, locksOf, specOf, unmetCondition, waitsOf } from '../language/index.ts';
import { commandOf, consentOptions } from '../unit/index.ts';
import type { Outlook } from './outlook.ts';

export interface PlannedUnit {
  /** Stage, or `~stage` for what undoes it. */
  readonly unit: string;
  readonly agent: string;
  readonly tier: Tier | '?';
  readonly does: string;
  /** `later`: it hangs on what the run itself makes. */
  readonly verdict: Verdict | 'later' | 'skip';
  /** The stage is there to be refused. */
  readonly expected: boolean;
  readonly reason: string;
  readonly policies: readonly string[];
  /** People, evidence, an event, locks: what must be before it starts. */
  readonly waits: readonly string[];
  /** Distinct operators that must approve; where it would ask. */
  readonly quorum?: number;
}

export interface PlanParts {
  readonly governor: Governor;
  readonly explainTool: ExplainTool;
  readonly explainAgent: ExplainAgent;
  readonly tools: ReadonlyMap<string, Tool>;
  workspace(folder: string): Promise<string>;
}

type Agents = readonly { readonly name: string; readonly tier: Tier }[];

/** In the order of the outlook. */
export async function planPipeline(
  parts: PlanParts,
  { pipeline, params, units }: Outlook,
  agents: Agents,
  signal: AbortSignal,
): Promise<readonly PlannedUnit[]> {
  // What the parameters alone decide is decided; all else is as if nothing had run.
  const state = { ...emptyRun, params };
  const planned: PlannedUnit[] = [];
  for (const unit of units) {
    signal.throwIfAborted();
    const spec = specOf(pipeline, unit);
    const settled = conditionsOf(pipeline, unit.stage).every(([at, when]) => isSettled(pipeline, at, when));
    const unmet = settled && !unit.undo ? unmetCondition(pipeline, state, unit.stage) : undefined;
    const known = isSettled(pipeline, unit.stage, JSON.stringify([spec.run, spec.env, spec.with]));
    const said: Said =
      unmet === undefined
        ? await judge(parts, spec, known ? () => fillUnit(pipeline, state, unit) : undefined, signal)
        : { verdict: 'skip', reason: `The condition does not hold: ${unmet}`, policies: [] };
    planned.push({
      ...{ unit: unitKey(unit), agent: spec.agent, does: doesOf(spec), expected: spec.expect === 'denied' },
      waits: waitsOf({ ...spec, ...locksIn(pipeline, state, unit, spec) }),
      tier: agents.find(({ name }) => name === spec.agent)?.tier ?? '?',
      ...said,
    });
  }
  return planned;
}

/** By the names that they will have, where these are known. */
function locksIn(pipeline: Pipeline, state: RunState, unit: Unit, { locks }: Stage): Pick<Stage, 'locks'> {
  if (locks === undefined || !isSettled(pipeline, unit.stage, locks.join('\n'))) return { locks };
  return { locks: [...locksOf(pipeline, state, unit)] };
}

type Said = Pick<PlannedUnit, 'verdict' | 'reason' | 'policies' | 'quorum'>;

/** `fill` where what it does is known already. */
async function judge(
  parts: PlanParts,
  spec: Stage,
  fill: (() => Stage) | undefined,
  signal: AbortSignal,
): Promise<Said> {
  const { agent, uses, gate } = spec;
  if (uses !== undefined && !fill) return later('Its arguments are known at the run.');
  try {
    const stage = fill?.() ?? spec;
    const channel: Channel = { agent, run: 'plan', workspace: await parts.workspace(spec.workspace) };
    const begin = consentOptions(gate);
    const tool = uses === undefined ? undefined : parts.tools.get(uses);
    const { decision, sentences } =
      stage.task !== undefined
        ? await parts.explainAgent(channel, begin)
        : tool
          ? await parts.explainTool({ channel, tool, args: stage.with ?? {}, begin, signal })
          : await parts.governor.explain(channel, execIntent({ ...stage, argv: commandOf(stage) }), begin);
    const reason = decision.verdict === 'allow' ? (sentences[0] ?? '') : (decision.reasons[0] ?? '');
    const open = fill ? '' : ' Its arguments are known at the run.';
    const { verdict, policies, quorum } = decision;
    return { verdict, reason: `${reason}${open}`, policies, ...(quorum === undefined ? {} : { quorum }) };
  } catch (error) {
    if (signal.aborted || !isAgovError(error)) throw error;
    if (isAgovError(error, 'AGENT_NOT_ACTIVE', 'AGENT_INVALID', 'DENIED'))
      return { verdict: 'deny', reason: error.what, policies: [] };
    return later(isAgovError(error, 'WORKSPACE_INVALID') ? 'Its folder is made by the run.' : messageOf(error));
  }
}

function later(reason: string): Said {
  return { verdict: 'later', reason, policies: [] };
}

function doesOf({ uses, task, team, run }: Stage): string {
  if (team !== undefined) return `team ${team}: ${task?.split('\n')[0] ?? ''}`;
  if (task !== undefined) return `task: ${task.split('\n')[0] ?? ''}`;
  return uses ?? (typeof run === 'string' ? (run.split('\n')[0] ?? '') : (run ?? []).join(' '));
}
