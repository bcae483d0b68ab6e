/** What a run came to, for people: stages with times, decisions by verdict, what was refused and why. */
import { type Amounts, type Limits, limitsOf, plus, readSpent } from '../../../governance/budgets/index.ts';
import { everyEntry, type Ledger } from '../../../governance/ledger/index.ts';
import type { Decision, Intent, Pipeline, Verdict } from '../../../schemas/index.ts';
import { type RunState, readRun, type StageState, stateOf, type Unit, unitKey, unitsOf } from '../journal/index.ts';
import { specOf } from '../language/index.ts';

export interface Refusal {
  readonly entry: string;
  readonly agent: string;
  readonly action: string;
  readonly resource: string;
  readonly reason: string;
  readonly policies: readonly string[];
}

export interface RunReport {
  readonly run: string;
  readonly pipeline: string;
  readonly status: RunState['status'];
  readonly reason: string | undefined;
  readonly startedAt: string;
  readonly endedAt: string | undefined;
  readonly stages: readonly (StageState & { readonly stage: string; readonly agent: string; readonly does: string })[];
  readonly decisions: Readonly<Record<Verdict, number>>;
  /** Of models, as their calls told it; allowed intents as actions. What nobody knows is not in it: see the budgets. */
  readonly spent: Amounts;
  /** The run's, where it has one. */
  readonly budget: Limits | undefined;
  readonly refused: readonly Refusal[];
  /** Who consented to what, and how. */
  readonly approvals: readonly { readonly operator: string; readonly via: string; readonly intent: Intent }[];
}

export function reportRun(ledger: Ledger, run: string, pipeline: Pipeline): RunReport {
  const state = readRun(ledger, run);
  const decisions = { allow: 0, ask: 0, deny: 0 };
  const refused: Refusal[] = [];
  const spent = { actions: 0, tokens: 0, moneyMicros: 0 };
  for (const entry of everyEntry(ledger, { kinds: ['intent', 'outcome'], run })) {
    if (entry.kind === 'outcome') {
      const { tokens = 0, moneyMicros = 0 } = readSpent(entry.body['spent']);
      spent.tokens = plus(spent.tokens, tokens);
      spent.moneyMicros = plus(spent.moneyMicros, moneyMicros);
      continue;
    }
    const body = entry.body as unknown as Intent & { readonly decision: Decision }; // written by the governor alone
    decisions[body.decision.verdict] += 1;
    if (body.decision.verdict !== 'deny') continue;
    refused.push({
      entry: entry.id,
      agent: entry.agent ?? '',
      action: body.action,
      resource: body.resource,
      reason: body.decision.reasons[0] ?? '',
      policies: body.decision.policies,
    });
  }
  const stages = allUnits(pipeline, state).map((unit) => {
    const { agent, uses, run: command } = specOf(pipeline, unit);
    return {
      stage: unitKey(unit),
      agent,
      does: uses ?? (typeof command === 'string' ? (command.split('\n')[0] ?? '') : (command ?? []).join(' ')),
      ...stateOf(state, unit),
    };
  });
  const { status, reason, startedAt, endedAt } = state;
  return {
    ...{ run, pipeline: pipeline.name, status, reason, startedAt, endedAt, stages, decisions, refused },
    spent: { ...spent, actions: decisions.allow },
    budget: pipeline.budget && limitsOf(pipeline.budget),
    approvals: consents(ledger, run),
  };
}

/** Stages in the order of the file, each with its items; what undid them after; the final ones last. */
function allUnits(pipeline: Pipeline, state: RunState): Unit[] {
  const of = (stages: Pipeline['stages']): Unit[] => Object.keys(stages).flatMap((stage) => unitsOf(state, stage));
  const forward = of(pipeline.stages);
  const undone = forward
    .map((unit): Unit => ({ ...unit, undo: true }))
    .filter((unit) => state.stages.has(unitKey(unit)));
  return [...forward, ...undone, ...of(pipeline.finally)];
}

function consents(ledger: Ledger, run: string): RunReport['approvals'] {
  return ledger.query({ kinds: ['approval'], run, limit: 1000 }).flatMap(({ body, parent }) => {
    const { step, operator, via } = body as { step: string; operator?: string; via?: string }; // by the approvals alone
    const intent = parent === undefined ? undefined : (ledger.byId(parent)?.body['intent'] as Intent | undefined);
    return step === 'granted' && operator && intent ? [{ operator, via: via ?? '', intent }] : [];
  });
}

/** Pipeline runs, newest first. */
export function listRuns(ledger: Ledger, limit: number): readonly RunState[] {
  const started = ledger.query({ kinds: ['run'], newestFirst: true, limit: limit * 20 });
  const runs = [...new Set(started.flatMap(({ run }) => (run ? [run] : [])))].slice(0, limit);
  return runs.map((run) => readRun(ledger, run));
}
