/** One attempt at one unit: its intent, what an operator says to it, what it leaves behind, its end in the journal. */
import type { PendingApproval } from '../../../governance/approvals/index.ts';
import type { Budgets } from '../../../governance/budgets/index.ts';
import type { Artifacts } from '../../../governance/evidence/index.ts';
import type { End } from '../../../governance/governor/index.ts';
import type { Ledger } from '../../../governance/ledger/index.ts';
import {
  type AgovError,
  type Env,
  isAgovError,
  isoTime,
  type JsonObject,
  messageOf,
  parseDuration,
} from '../../../kernel/index.ts';
import type { ArtifactRef, Decision, Entry, Pipeline, Stage } from '../../../schemas/index.ts';
import {
  type RunJournal,
  type RunState,
  type StageBody,
  type StageState,
  stateOf,
  type Unit,
  unitKey,
} from '../journal/index.ts';
import { fillUnit, specOf, unmetCondition } from '../language/index.ts';
import { type KeepParts, keepArtifacts } from './artifacts.ts';
import { purseOf } from './budget.ts';
import { type Begun, type Elsewhere, overtimeText, type Perform } from './command.ts';
import { readOutputs } from './outputs.ts';
import { pauseBefore } from './retry.ts';

/** What the operators say to an approval: `approved` means that it has been given, and the intent may be tried again. */
export type Answer = 'approved' | 'denied' | 'later';

export interface UnitParts extends KeepParts {
  /** Where the unit's one intent is judged and done: in this process, or by a worker. */
  readonly perform: Perform;
  /** Without them no pipeline with a budget can be driven. */
  readonly budgets?: Budgets;
  readonly env: Env;
  readonly ledger: Ledger;
  readonly artifacts: Artifacts;
  /** An abort of `signal` means `later`. */
  ask(approval: PendingApproval, unit: string, signal: AbortSignal): Promise<Answer>;
}

export type UnitEnd =
  | { readonly status: 'ok' | 'failed' | 'denied' | 'skipped'; readonly reason: string | undefined }
  | { readonly status: 'retrying'; readonly reason: string | undefined; readonly retryAt: number }
  | { readonly status: 'parked'; readonly approval: string };

export interface UnitJob {
  readonly pipeline: Pipeline;
  readonly unit: Unit;
  readonly journal: RunJournal;
  /** Of the run, when the unit was begun. */
  readonly state: RunState;
  readonly signal: AbortSignal;
}

/** What came of a unit, and when that is on disk. */
export interface UnitDone {
  readonly end: UnitEnd;
  readonly recorded: Promise<void>;
}

/** More rounds than operators: each `approved` must bring the intent forward, or something is wrong. */
const maxRounds = 10;
const mostLost = 5;

export async function runUnit(parts: UnitParts, job: UnitJob): Promise<UnitDone> {
  const began = parts.env.monotonic();
  const { pipeline, unit, state } = job;
  const stage = specOf(pipeline, unit);
  const before = stateOf(state, unit);
  const unmet = unmetOf(job);
  if (typeof unmet === 'string' && before.status === 'pending') return skipUnit(job, stage, unmet);
  const first = startAttempt(parts, job, stage, before);
  const { begun, end } =
    first.finished || isAgovError(unmet)
      ? { begun: first, end: first.finished ?? failedOn(unmet) }
      : await attemptUntilKnown(parts, job, stage, first);
  const { attempt } = begun;
  // An attempt that another driver has begun is not ours to end.
  if (end.status !== 'ok') await begun.recorded;
  if (end.status === 'parked') return { end, recorded: begun.recorded };
  const met = await keepWhatItMade(parts, job, stage, meet(stage.expect, end));
  const retryAt = job.signal.aborted ? undefined : pauseBefore(parts.env, stage.retry, before.failures, met);
  const body: StageBody = {
    step: 'ended',
    ...unit,
    attempt,
    status: met.status,
    ...(met.code === undefined || met.status === 'ok' ? {} : { code: met.code }),
    ...(met.reason === undefined ? {} : { reason: met.reason.slice(0, 2000) }),
    outputs: met.outputs,
    ...(retryAt === undefined ? {} : { retryAt: isoTime(retryAt) }),
    durationMs: Math.round(parts.env.monotonic() - began),
    ...(end.elsewhere ? { worker: end.elsewhere.worker } : {}),
  };
  const { recorded } = job.journal.writeStage(body, {
    agent: stage.agent,
    parent: begun.id,
    claim: `stage:${state.run}:${unitKey(unit)}:${attempt}:ended`,
    artifacts: met.artifacts,
  });
  if (retryAt !== undefined) return { end: { status: 'retrying', reason: body.reason, retryAt }, recorded };
  return { end: { status: body.status, reason: body.reason }, recorded };
}

/** What came of an attempt, before and after its artifacts and outputs are kept. */
interface Ended {
  readonly status: 'ok' | 'failed' | 'denied';
  readonly reason: string | undefined;
  readonly code: string | undefined;
  readonly artifacts: readonly ArtifactRef[];
  readonly facts: JsonObject;
  readonly outputs: JsonObject;
  readonly elsewhere?: Elsewhere;
}

function without(status: 'failed' | 'denied', reason: string, code?: string): Ended {
  return { status, reason, code, artifacts: [], facts: {}, outputs: {} };
}

function failedOn(error: unknown): Ended {
  return without('failed', messageOf(error), isAgovError(error) ? error.code : undefined);
}

/** A condition that cannot be told does not skip its stage: the attempt that follows fails on it, and says why. */
function unmetOf({ pipeline, state, unit }: UnitJob): string | undefined | AgovError {
  // Items are there because the condition of their stage held.
  if (unit.item !== undefined || unit.undo) return undefined;
  try {
    return unmetCondition(pipeline, state, unit.stage);
  } catch (error) {
    if (isAgovError(error, 'INPUT_INVALID')) return error;
    throw error;
  }
}

function skipUnit({ unit, state, journal }: UnitJob, { agent }: Stage, unmet: string): UnitDone {
  const reason = `The condition does not hold: ${unmet}`.slice(0, 2000);
  const claim = `stage:${state.run}:${unitKey(unit)}:skipped`;
  const { recorded } = journal.writeStage({ step: 'skipped', ...unit, reason }, { agent, claim });
  return { end: { status: 'skipped', reason }, recorded };
}

/** Its entry may still be on its way. */
interface Attempt extends Begun {
  /** What came of it already, under another driver. */
  readonly finished?: Ended;
}

/**
 * A fresh attempt gets an entry that claims its number. An open one is taken up again when its driver died before the
 * effect, or after the outcome; when the outcome is unknown the next attempt begins.
 */
function startAttempt(
  { ledger }: UnitParts,
  { state: { run }, unit, journal }: UnitJob,
  { agent, timeout }: Stage,
  before: StageState,
): Attempt {
  if (before.status === 'open' && before.startedEntry !== undefined) {
    const outcome = lastOutcome(ledger, before.startedEntry);
    const taken = {
      attempt: before.attempt,
      id: before.startedEntry,
      recorded: Promise.resolve(),
      taken: true,
    } as const;
    if (!outcome && !wasLost(ledger, before.startedEntry)) return taken;
    if (outcome && outcome.body['status'] !== 'unknown') return { ...taken, finished: endOf(outcome, timeout) };
  }
  const attempt = before.attempt + 1;
  const claim = `stage:${run}:${unitKey(unit)}:${attempt}:started`;
  return { attempt, ...journal.writeStage({ step: 'started', ...unit, attempt }, { agent, claim }) };
}

function lastOutcome(ledger: Ledger, startedEntry: string): Entry | undefined {
  const allowed = ledger
    .query({ kinds: ['intent'], parent: startedEntry })
    .filter((intent) => (intent.body['decision'] as Decision).verdict === 'allow') // written by the governor alone
    .at(-1);
  const outcome = allowed && ledger.query({ kinds: ['outcome'], parent: allowed.id })[0];
  // An agent that waits for an approval has not ended: it goes on in the same attempt.
  return factsOf(outcome)['end'] === 'parked' ? undefined : outcome;
}

function factsOf(outcome: Entry | undefined): JsonObject {
  return (outcome?.body['facts'] ?? {}) as JsonObject; // by the governor's schema
}

/** With the worker that had begun it. */
function wasLost(ledger: Ledger, startedEntry: string): boolean {
  return ledger.query({ kinds: ['job'], parent: startedEntry }).some(({ body }) => body['step'] === 'lost');
}

/** The end of an attempt whose effect is on record already: it must not be repeated. */
function endOf({ body, artifacts = [] }: Entry, timeout: string | undefined): Ended {
  return ended({ ...(body as unknown as End), artifacts }, timeout); // written by the governor alone
}

function ended({ status, reason, artifacts = [], facts }: End, timeout: string | undefined): Ended {
  const { exitCode, durationMs } = facts;
  const late = timeout !== undefined && exitCode !== 0 && Number(durationMs) >= parseDuration(timeout);
  // Of an agent that has used up what it was given, nothing more comes by trying again.
  const spent = facts['end'] === 'budget' ? 'BUDGET_EXCEEDED' : undefined;
  const code = spent ?? (late ? 'TIMEOUT' : typeof exitCode === 'number' ? `EXIT_${exitCode}` : 'TOOL_FAILED');
  return { status: status === 'ok' ? 'ok' : 'failed', reason, code, artifacts, facts, outputs: {} };
}

/** The next attempt where a worker is lost in one; a unit that takes its worker with it each time is not tried for ever. */
async function attemptUntilKnown(
  parts: UnitParts,
  job: UnitJob,
  stage: Stage,
  first: Attempt,
): Promise<{ begun: Attempt; end: Ended | (UnitEnd & { status: 'parked' }) }> {
  let begun = first;
  for (let lost = 1; ; lost++) {
    const end = await attemptOnce(parts, job, begun);
    if (end.status !== 'failed' || end.code !== 'WORKER_LOST' || lost === mostLost) return { begun, end };
    const { attempt } = begun;
    begun = startAttempt(parts, job, stage, { ...stateOf(job.state, job.unit), status: 'retrying', attempt });
  }
}

async function attemptOnce(
  parts: UnitParts,
  job: UnitJob,
  begun: Attempt,
): Promise<Ended | (UnitEnd & { status: 'parked' })> {
  const { pipeline, unit, state, signal } = job;
  try {
    const stage = fillUnit(pipeline, state, unit);
    const workspace = await parts.workspace(stage.workspace);
    const key = unitKey(unit);
    const purse = await purseOf(parts.budgets, pipeline, unit, state.run);
    for (let round = 0; round < maxRounds; round++) {
      // Also one that a killed driver had begun: after a stop nothing is done that was not done before.
      if (signal.aborted) return without('failed', 'It was stopped.');
      const acted = await parts.perform({ run: state.run, key, stage, workspace, purse, begun, signal });
      if (acted.verdict === 'allow') {
        const { elsewhere, overtime } = acted;
        const late = overtime ? { code: 'BUDGET_EXCEEDED', reason: overtimeText } : {};
        return { ...ended(acted.outcome, stage.timeout), ...late, ...(elsewhere ? { elsewhere } : {}) };
      }
      const reason = acted.decision.reasons[0] ?? 'No policy permits it.';
      // The rules have not refused it: it is no denial that could have been expected.
      if (acted.verdict === 'deny') return without(acted.code ? 'failed' : 'denied', reason, acted.code);
      const answer = await parts.ask(acted.approval, key, signal);
      if (answer === 'denied') return without('denied', 'An operator said no.');
      if (answer === 'later') return { status: 'parked', approval: acted.approval.id };
    }
    return without('failed', `It was approved ${maxRounds} times and asked again.`, 'APPROVAL_INVALID');
  } catch (error) {
    // A stage that cannot be tried has failed; what stops the record itself stops the run.
    if (stopsTheRun(error)) throw error;
    return failedOn(error);
  }
}

/** What was expected decides what is well: a stage that must be refused has failed when it was not. */
function meet(expect: Stage['expect'], end: Ended): Ended {
  if (expect === 'ok') return end;
  if (end.status === 'denied') return { ...end, status: 'ok', reason: `Refused, as expected: ${end.reason ?? ''}` };
  return { ...end, status: 'failed', reason: 'The rules were expected to refuse this, and did not.' };
}

/** A promised artifact or output that cannot be had fails its stage; thrown on, it would leave a run that no resume can end. */
async function keepWhatItMade(parts: UnitParts, job: UnitJob, stage: Stage, end: Ended): Promise<Ended> {
  if (end.status !== 'ok') return end;
  try {
    const outputs = await readOutputs(parts.artifacts, job.pipeline, job.state, job.unit, end);
    const artifacts = end.elsewhere ? end.elsewhere.kept() : await keepArtifacts(parts, stage, end.artifacts);
    return { ...end, outputs, artifacts };
  } catch (error) {
    if (stopsTheRun(error)) throw error;
    return { ...end, status: 'failed', reason: messageOf(error), code: isAgovError(error) ? error.code : undefined };
  }
}

function stopsTheRun(error: unknown): boolean {
  return !isAgovError(error) || isAgovError(error, 'LEDGER_UNAVAILABLE', 'DISK_FULL', 'INTERNAL', 'NOT_WRITABLE');
}
