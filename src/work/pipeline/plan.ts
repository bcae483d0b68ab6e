/** Tries a pipeline on the policy before anything starts: who would do what, and what the rules would say to it. */
import type { Tool } from '../../adapters/tools/port.ts';
import type { Channel, Governor } from '../../governance/governor/index.ts';
import { isAgovError, messageOf } from '../../kernel/index.ts';
import type { Stage, Tier, Verdict } from '../../schemas/index.ts';
import { type ExplainTool, execIntent } from '../agents/index.ts';
import { hasHoles } from './expressions/index.ts';
import { emptyRun, unitKey } from './journal/index.ts';
import { fillUnit, meetsCondition, specOf } from './language/index.ts';
import type { Outlook } from './outlook.ts';
import { commandOf } from './unit/index.ts';

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
  /** Distinct operators that must approve; where it would ask. */
  readonly quorum?: number;
}

export interface PlanParts {
  readonly governor: Governor;
  readonly explainTool: ExplainTool;
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
    const skipped = !unit.undo && isKnown(spec.when ?? '') && !meetsCondition(pipeline, state, unit.stage);
    const said: Said = skipped
      ? { verdict: 'skip', reason: `The condition does not hold: ${spec.when}`, policies: [] }
      : await judge(parts, spec, () => fillUnit(pipeline, state, unit), signal);
    planned.push({
      ...{ unit: unitKey(unit), agent: spec.agent, does: doesOf(spec), expected: spec.expect === 'denied' },
      tier: agents.find(({ name }) => name === spec.agent)?.tier ?? '?',
      ...said,
    });
  }
  return planned;
}

type Said = Pick<PlannedUnit, 'verdict' | 'reason' | 'policies' | 'quorum'>;

async function judge(parts: PlanParts, spec: Stage, fill: () => Stage, signal: AbortSignal): Promise<Said> {
  const { agent, uses, run, env, gate } = spec;
  const known = isKnown(JSON.stringify([run, env, spec.with]));
  if (uses !== undefined && !known) return later('Its arguments are known at the run.');
  try {
    const stage = known ? fill() : spec;
    const channel: Channel = { agent, run: 'plan', workspace: await parts.workspace(spec.workspace) };
    const begin = gate === 'approval' ? { requireApprovals: 1 } : {};
    const tool = uses === undefined ? undefined : parts.tools.get(uses);
    const { decision, sentences } = tool
      ? await parts.explainTool({ channel, tool, args: stage.with ?? {}, begin, signal })
      : await parts.governor.explain(channel, execIntent({ ...stage, argv: commandOf(stage) }), begin);
    const reason = decision.verdict === 'allow' ? (sentences[0] ?? '') : (decision.reasons[0] ?? '');
    const open = known ? '' : ' Its arguments are known at the run.';
    const { verdict, policies, quorum } = decision;
    return { verdict, reason: `${reason}${open}`, policies, ...(quorum === undefined ? {} : { quorum }) };
  } catch (error) {
    if (signal.aborted || !isAgovError(error)) throw error;
    if (isAgovError(error, 'AGENT_NOT_ACTIVE')) return { verdict: 'deny', reason: error.what, policies: [] };
    return later(isAgovError(error, 'WORKSPACE_INVALID') ? 'Its folder is made by the run.' : messageOf(error));
  }
}

function later(reason: string): Said {
  return { verdict: 'later', reason, policies: [] };
}

/** Whether parameters alone are read in it. */
function isKnown(text: string): boolean {
  const read = [...text.matchAll(/\$\{\{(.*?)\}\}/gs)].map(([, expression]) => expression ?? '');
  return ![...(hasHoles(text) ? read : [text])].some((one) => /\b(?:stages|each|matrix|own|run)\s*[.[]/.test(one));
}

function doesOf({ uses, run }: Stage): string {
  return uses ?? (typeof run === 'string' ? (run.split('\n')[0] ?? '') : (run ?? []).join(' '));
}
