/** One attempt at one unit: its intent, what an operator says to it, what it leaves behind, its end in the journal. */
import type { PendingApproval } from '../../../governance/approvals/index.ts';
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
import { type RunState, type StageBody, type StageState, stateOf, type Unit, unitKey } from '../journal/index.ts';
import { fillUnit, meetsCondition, specOf } from '../language/index.ts';
import { type KeepParts, keepArtifacts } from './artifacts.ts';
import type { Perform } from './command.ts';
import { readOutputs } from './outputs.ts';
import { pauseBefore } from './retry.ts';

/** What the operators say to an approval: `approved` means that it has been given, and the intent may be tried again. */
export type Answer = 'approved' | 'denied' | 'later';

export interface UnitParts extends KeepParts {
  /** Where the unit's one intent is judged and done: in this process, or by a worker. */
  readonly perform: Perform;
  readonly env: Env;
  readonly ledger: Ledger;
  readonly artifacts: Artifacts;
  /** The real path of a stage's workspace. @throws WORKSPACE_INVALID */
  workspace(folder: string): Promise<string>;
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
  /** The run's, from the journal. */
  readonly state: RunState;
  readonly signal: AbortSignal;
}

/** More rounds than operators: each `approved` must bring the intent forward, or something is wrong. */
const maxRounds = 10;

export async function runUnit(parts: UnitParts, job: UnitJob): Promise<UnitEnd> {
  const began = parts.env.monotonic();
  const { pipeline, unit, state } = job;
  const stage = specOf(pipeline, unit);
  const before = stateOf(state, unit);
  const condition = conditionOf(job);
  if (condition === false && before.status === 'pending') return skipUnit(parts, job, stage);
  const { attempt, entry, finished } = await startAttempt(parts, job, stage, before);
  const end =
    finished ??
    (isAgovError(condition) ? failedOn(condition) : await attemptOnce(parts, job, { attempt, parent: entry }));
  if (end.status === 'parked') return end;
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
  };
  await parts.ledger.append({
    kind: 'stage',
    run: state.run,
    agent: stage.agent,
    parent: entry,
    body,
    claim: `stage:${state.run}:${unitKey(unit)}:${attempt}:ended`,
    ...(met.artifacts.length > 0 ? { artifacts: [...met.artifacts] } : {}),
  });
  if (retryAt !== undefined) return { status: 'retrying', reason: body.reason, retryAt };
  return { status: body.status, reason: body.reason };
}

/** What came of an attempt, before and after its artifacts and outputs are kept. */
interface Ended {
  readonly status: 'ok' | 'failed' | 'denied';
  readonly reason: string | undefined;
  readonly code: string | undefined;
  readonly artifacts: readonly ArtifactRef[];
  readonly facts: JsonObject;
  readonly outputs: JsonObject;
}

function without(status: 'failed' | 'denied', reason: string, code?: string): Ended {
  return { status, reason, code, artifacts: [], facts: {}, outputs: {} };
}

function failedOn(error: unknown): Ended {
  return without('failed', messageOf(error), isAgovError(error) ? error.code : undefined);
}

/** A condition that cannot be told does not skip its stage: the attempt that follows fails on it, and says why. */
function conditionOf({ pipeline, state, unit }: UnitJob): boolean | AgovError {
  // Items are there because the condition of their stage held.
  if (unit.item !== undefined || unit.undo) return true;
  try {
    return meetsCondition(pipeline, state, unit.stage);
  } catch (error) {
    if (isAgovError(error, 'INPUT_INVALID')) return error;
    throw error;
  }
}

async function skipUnit({ ledger }: UnitParts, { unit, state }: UnitJob, { agent, when }: Stage): Promise<UnitEnd> {
  const reason = `The condition does not hold: ${when}`.slice(0, 2000);
  const body: StageBody = { step: 'skipped', ...unit, reason };
  const claim = `stage:${state.run}:${unitKey(unit)}:skipped`;
  await ledger.append({ kind: 'stage', run: state.run, agent, body, claim });
  return { status: 'skipped', reason };
}

/**
 * A fresh attempt gets an entry that claims its number. An open one is taken up again when its driver died before the
 * effect, or after the outcome; when the outcome is unknown the next attempt begins.
 */
async function startAttempt(
  { ledger }: UnitParts,
  { state: { run }, unit }: UnitJob,
  { agent, timeout }: Stage,
  before: StageState,
): Promise<{ attempt: number; entry: string; finished?: Ended }> {
  if (before.status === 'open' && before.startedEntry !== undefined) {
    const outcome = lastOutcome(ledger, before.startedEntry);
    const taken = { attempt: before.attempt, entry: before.startedEntry };
    if (!outcome) return taken;
    if (outcome.body['status'] !== 'unknown') return { ...taken, finished: endOf(outcome, timeout) };
  }
  const attempt = before.attempt + 1;
  const body: StageBody = { step: 'started', ...unit, attempt };
  const claim = `stage:${run}:${unitKey(unit)}:${attempt}:started`;
  const { id } = await ledger.append({ kind: 'stage', run, agent, body, claim });
  return { attempt, entry: id };
}

function lastOutcome(ledger: Ledger, startedEntry: string): Entry | undefined {
  const allowed = ledger
    .query({ kinds: ['intent'], parent: startedEntry })
    .filter((intent) => (intent.body['decision'] as Decision).verdict === 'allow') // written by the governor alone
    .at(-1);
  return allowed ? ledger.query({ kinds: ['outcome'], parent: allowed.id })[0] : undefined;
}

/** The end of an attempt whose effect is on record already: it must not be repeated. */
function endOf({ body, artifacts = [] }: Entry, timeout: string | undefined): Ended {
  return ended({ ...(body as unknown as End), artifacts }, timeout); // written by the governor alone
}

function ended({ status, reason, artifacts = [], facts }: End, timeout: string | undefined): Ended {
  const { exitCode, durationMs } = facts;
  const late = timeout !== undefined && exitCode !== 0 && Number(durationMs) >= parseDuration(timeout);
  const code = late ? 'TIMEOUT' : typeof exitCode === 'number' ? `EXIT_${exitCode}` : 'TOOL_FAILED';
  return { status: status === 'ok' ? 'ok' : 'failed', reason, code, artifacts, facts, outputs: {} };
}

async function attemptOnce(
  parts: UnitParts,
  job: UnitJob,
  { attempt, parent }: { readonly attempt: number; readonly parent: string },
): Promise<Ended | (UnitEnd & { status: 'parked' })> {
  const { pipeline, unit, state, signal } = job;
  try {
    const stage = fillUnit(pipeline, state, unit);
    const workspace = await parts.workspace(stage.workspace);
    const key = unitKey(unit);
    for (let round = 0; round < maxRounds; round++) {
      // Also one that a killed driver had begun: after a stop nothing is done that was not done before.
      if (signal.aborted) return without('failed', 'It was stopped.');
      const acted = await parts.perform({ run: state.run, key, attempt, stage, workspace, parent, signal });
      if (acted.verdict === 'allow') return ended(acted.outcome, stage.timeout);
      const reason = acted.decision.reasons[0] ?? 'No policy permits it.';
      if (acted.verdict === 'deny') return without('denied', reason);
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
    const workspace = await parts.workspace(stage.workspace);
    return { ...end, outputs, artifacts: await keepArtifacts(parts, stage, workspace, end.artifacts) };
  } catch (error) {
    if (stopsTheRun(error)) throw error;
    return { ...end, status: 'failed', reason: messageOf(error), code: isAgovError(error) ? error.code : undefined };
  }
}

function stopsTheRun(error: unknown): boolean {
  return !isAgovError(error) || isAgovError(error, 'LEDGER_UNAVAILABLE', 'DISK_FULL', 'INTERNAL', 'NOT_WRITABLE');
}
