/** A run's beginning, and how another process takes it over, ends it, or begins again where it failed. */
import { endApprovals } from '../../../governance/approvals/index.ts';
import type { Budgets } from '../../../governance/budgets/index.ts';
import type { Artifacts } from '../../../governance/evidence/index.ts';
import { governorMark, mayLive } from '../../../governance/governor/index.ts';
import type { Ledger } from '../../../governance/ledger/index.ts';
import { AgovError, type IdSource, isAgovError } from '../../../kernel/index.ts';
import { type ArtifactRef, nearest, type Pipeline, type PreflightRecord } from '../../../schemas/index.ts';
import type { OperatorAct } from '../../agents/index.ts';
import {
  type RunBody,
  type RunState,
  readRun,
  type StageBody,
  stateOf,
  type Unit,
  unitKey,
  unitsOf,
} from '../journal/index.ts';
import { ancestorsOf, callOf, keptText, type Parameters, readKept, stageOf, stagesUnder } from '../language/index.ts';
import { openRunBudget } from '../unit/index.ts';

export interface StartParts {
  readonly ledger: Ledger;
  readonly artifacts: Artifacts;
  readonly ids: IdSource;
  /** Without them no run with a budget can be started. */
  readonly budgets?: Budgets;
}

/** What was looked at before a run: its sum, and the whole of it as an artifact. */
export interface LookedAt {
  readonly record: PreflightRecord;
  readonly report: ArtifactRef;
}

export interface RunSource {
  readonly text: string;
  readonly file: string;
  readonly params: Parameters;
  /** The run that this one takes over from. */
  readonly retryOf?: string;
  readonly preflight?: LookedAt | undefined;
  readonly engine?: 'bullmq' | undefined;
}

/** Starts a run of the pipeline whose text is `source`. Returns its id; nothing has been done yet. */
export async function startRun(
  { ledger, artifacts, ids, budgets }: StartParts,
  pipeline: Pipeline,
  source: RunSource,
  by: OperatorAct,
): Promise<string> {
  const run = ids();
  const kept = await keep(artifacts, pipeline, source.text);
  const body: RunBody = {
    step: 'started',
    pipeline: pipeline.name,
    file: source.file,
    source: kept[0].sha256,
    params: { ...source.params },
    ...(source.retryOf === undefined ? {} : { retryOf: source.retryOf }),
    ...(source.preflight === undefined ? {} : { preflight: source.preflight.record }),
    ...by,
    driver: governorMark(),
    ...(source.engine === undefined ? {} : { engine: source.engine }),
  };
  await ledger.append({ kind: 'run', id: run, run, body, artifacts: [...kept, ...reportOf(source.preflight)] });
  await openRunBudget(budgets, pipeline, run);
  return run;
}

/** What a resumed run goes on with; where that is more than one text, each by itself too, for those who look it up. */
async function keep(
  artifacts: Artifacts,
  pipeline: Pipeline,
  text: string,
): Promise<readonly [ArtifactRef, ...ArtifactRef[]]> {
  const whole = keptText(text, pipeline);
  const source = readKept(whole);
  const files = Object.entries(source.templates);
  if (files.length === 0) return [await artifacts.put('pipeline.yaml', whole)];
  const parts = [['pipeline.yaml', source.text] as const, ...files];
  const kept = await Promise.all(parts.map(([path, one]) => artifacts.put(path.slice(-255), one)));
  return [await artifacts.put('pipeline.source.json', whole), ...kept];
}

function reportOf(looked: LookedAt | undefined): ArtifactRef[] {
  return looked === undefined ? [] : [looked.report];
}

/** A run whose driver is gone. @throws RUN_BUSY while the driver lives, CONFLICT when the run has ended */
export function resumable(ledger: Ledger, run: string): RunState {
  const state = readRun(ledger, run);
  if (state.endedAt !== undefined) throw hasEnded(state);
  if (state.status !== 'waiting' && mayLive(state.driver)) throw busy(run, state.driver.pid);
  return state;
}

/** Takes it over. Of two that try, one gets it. @throws as `resumable` */
export async function resumeRun(ledger: Ledger, run: string, by: OperatorAct, looked?: LookedAt): Promise<RunState> {
  const state = resumable(ledger, run);
  const preflight = looked === undefined ? {} : { preflight: looked.record };
  const body: RunBody = { step: 'resumed', ...preflight, ...by, driver: governorMark() };
  const artifacts = reportOf(looked);
  try {
    await ledger.append({ kind: 'run', run, body, artifacts, claim: `run:${run}:driver:${state.drivers + 1}` });
  } catch (error) {
    if (isAgovError(error, 'LEDGER_CLAIMED')) throw busy(run, undefined);
    throw error;
  }
  return readRun(ledger, run);
}

export function hasEnded({ run, status, reason }: RunState): AgovError {
  return new AgovError('CONFLICT', {
    what: `Run ${run} has ended (${status}).`,
    ...(reason === undefined ? {} : { why: reason }),
    fix: `Begin again where it failed: agov pipeline retry ${run}`,
  });
}

function busy(run: string, pid: number | undefined): AgovError {
  return new AgovError('RUN_BUSY', {
    what: `Run ${run} is driven by another process${pid === undefined ? '' : ` (${pid})`}.`,
    fix: 'Wait for it, or stop it first.',
  });
}

/** Whether somebody else drives it, and will end it; otherwise the caller has taken it over and must. */
export type Cancelled = 'by its driver' | 'taken over';

/** @throws CONFLICT when the run has ended */
export async function cancelRun(ledger: Ledger, run: string, by: OperatorAct, reason: string): Promise<Cancelled> {
  const state = await orderEnd(ledger, run, by, reason);
  if (state.status !== 'waiting' && mayLive(state.driver)) return 'by its driver';
  await resumeRun(ledger, run, by);
  return 'taken over';
}

/** What cancels it, for whoever drives it or will. @throws CONFLICT when the run has ended */
export async function orderEnd(ledger: Ledger, run: string, by: OperatorAct, reason: string): Promise<RunState> {
  const state = readRun(ledger, run);
  if (state.endedAt !== undefined) throw hasEnded(state);
  const why = `Cancelled by ${by.operator}: ${reason}`.slice(0, 2000);
  await ledger.append({ kind: 'run', run, body: { step: 'cancelling', reason: why } });
  // A consent to what will not be done any more would serve the next run that asks the same.
  await endApprovals(ledger, { agents: new Set(), run }, { ...by, reason: why });
  return state;
}

/**
 * The stages that a retry does again: those named or those that failed, what comes after them, and what has been undone.
 * @throws CONFLICT while the old run goes on, NOT_FOUND for a stage that it has not, INPUT_INVALID where nothing failed
 */
export function stagesAgain(pipeline: Pipeline, old: RunState, from: readonly string[]): ReadonlySet<string> {
  if (old.endedAt === undefined) {
    const fix = `Cancel it first: agov pipeline cancel ${old.run}`;
    throw new AgovError('CONFLICT', { what: `Run ${old.run} has not ended (${old.status}).`, fix });
  }
  return begunWith(pipeline, old, from);
}

/**
 * A new run of the same text with the same parameters, which takes over what the old one did well: all but the stages
 * `again`. Returns its id; nothing has been done yet.
 */
export async function retryRun(
  parts: StartParts,
  pipeline: Pipeline,
  old: RunState,
  again: ReadonlySet<string>,
  by: OperatorAct,
  preflight?: LookedAt,
  engine?: 'bullmq',
): Promise<string> {
  const text = (await parts.artifacts.get(old.source)).toString('utf8');
  const run = await startRun(
    parts,
    pipeline,
    { text, file: old.file, params: old.params, retryOf: old.run, preflight, engine },
    by,
  );
  const bodies = Object.keys(pipeline.stages).flatMap((stage) => (again.has(stage) ? [] : reused(old, stage)));
  await Promise.all(
    bodies.map((body) => {
      const { agent } = stageOf(pipeline, body.stage);
      // Evidence for the gates to come.
      const artifacts = body.step === 'reused' ? [...stateOf(old, unitOf(body)).artifacts] : [];
      return parts.ledger.append({ kind: 'stage', run, agent, body, artifacts });
    }),
  );
  return run;
}

function begunWith(pipeline: Pipeline, old: RunState, from: readonly string[]): ReadonlySet<string> {
  const names = Object.keys(pipeline.stages);
  for (const name of from) {
    if (names.includes(name) || callOf(pipeline, name)) continue;
    const hint = nearest(name, names);
    const fix = hint === undefined ? `It has ${names.join(', ')}.` : `Did you mean "${hint}"?`;
    throw new AgovError('NOT_FOUND', { what: `The run has no stage "${name}".`, fix });
  }
  const named = from.flatMap((name) => stagesUnder(pipeline, name));
  const first = named.length > 0 ? named : names.filter((name) => reused(old, name).length === 0);
  if (first.length > 0) return new Set(names.filter((name) => first.some((one) => comesAfter(pipeline, name, one))));
  const fix = 'Name the stage to begin from: --from STAGE';
  throw new AgovError('INPUT_INVALID', { what: `Every stage of run ${old.run} ended well.`, fix });
}

function comesAfter(pipeline: Pipeline, name: string, first: string): boolean {
  return name === first || ancestorsOf(pipeline, name).has(first);
}

function unitOf({ stage, item }: Extract<StageBody, { step: 'reused' }>): Unit {
  return { stage, ...(item === undefined ? {} : { item }) };
}

/** What the new run writes of a stage that the old one ended well, items and all; nothing where it did not. */
function reused(old: RunState, stage: string): StageBody[] {
  const units = unitsOf(old, stage);
  const bodies = units.flatMap((unit): StageBody[] => {
    const { status, outputs, reason } = stateOf(old, unit);
    // One that was begun to be undone is not what it was.
    if (old.stages.has(unitKey({ ...unit, undo: true }))) return [];
    if (status === 'ok') return [{ step: 'reused', ...unit, from: old.run, outputs }];
    return status === 'skipped' ? [{ step: 'skipped', ...unit, reason: reason ?? '' }] : [];
  });
  if (bodies.length < units.length) return [];
  const items = old.stages.has(stage) ? undefined : old.items.get(stage);
  return items ? [{ step: 'expanded', stage, items: [...items] }, ...bodies] : bodies;
}
