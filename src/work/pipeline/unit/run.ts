/** One attempt at one unit: its intent, what an operator says to it, what it leaves behind, its end in the journal. */
import type { PendingApproval } from '../../../governance/approvals/index.ts';
import type { Budgets } from '../../../governance/budgets/index.ts';
import type { Artifacts } from '../../../governance/evidence/index.ts';
import type { EarlyOutcome } from '../../../governance/governor/index.ts';
import type { Ledger } from '../../../governance/ledger/index.ts';
import { type AgovError, type Env, type IdSource, isAgovError, isoTime, messageOf } from '../../../kernel/index.ts';
import type { Stage } from '../../../schemas/index.ts';
import { type StageBody, stateOf, unitKey, type Written } from '../journal/index.ts';
import { fillUnit, specOf, unmetCondition } from '../language/index.ts';
import {
  type Attempt,
  type Ended,
  ended,
  failedOn,
  meet,
  noteLocks,
  openAttempt,
  pauseBefore,
  startAttempt,
  stopsTheRun,
  type UnitJob,
  without,
} from './attempt/index.ts';
import { purseOf } from './budget.ts';
import { overtimeText, type Perform, type Performed } from './command.ts';
import { type Awaiting, atGate, type Grip, type GripParts, type HeldBack, openGrip } from './gates/index.ts';
import { type KeepParts, keepArtifacts, readOutputs } from './kept/index.ts';

/** What the operators say to an approval: `approved` means that it has been given, and the intent may be tried again. */
export type Answer = 'approved' | 'denied' | 'later';

export interface UnitParts extends KeepParts, GripParts {
  /** Where the unit's one intent is judged and done: in this process, or by a worker. */
  readonly perform: Perform;
  /** Without them no pipeline with a budget can be driven. */
  readonly budgets?: Budgets;
  readonly env: Env;
  readonly ids: IdSource;
  readonly ledger: Ledger;
  readonly artifacts: Artifacts;
  /** An abort of `signal` means `later`. */
  ask(approval: PendingApproval, unit: string, signal: AbortSignal): Promise<Answer>;
}

export type UnitEnd =
  | { readonly status: 'ok' | 'failed' | 'denied' | 'skipped'; readonly reason: string | undefined }
  | { readonly status: 'retrying'; readonly reason: string | undefined; readonly retryAt: number }
  | { readonly status: 'parked'; readonly approval: string }
  | Awaiting
  | HeldBack;

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
  const open = openAttempt(parts.ledger, stage, before);
  await using grip = openGrip(parts, job);
  const settled = open?.finished ?? (isAgovError(unmet) ? failedOn(unmet) : undefined);
  const barred = settled ?? (await barredBy(parts, job, grip));
  if (barred?.status === 'awaiting' || barred?.status === 'held')
    return { end: barred, recorded: job.journal.settled() };
  const first = open ?? startAttempt(job, stage, before, grip.tokens);
  if (open) noteLocks(job, stage, open, grip.tokens);
  const { begun, end } = barred ? { begun: first, end: barred } : await attemptUntilKnown(parts, job, grip, first);
  // An attempt that another driver has begun is not ours to end.
  if (end.status !== 'ok') await begun.recorded;
  if (end.status === 'parked' || end.status === 'held') return { end, recorded: begun.recorded };
  const met = await keepWhatItMade(parts, job, stage, meet(stage.expect, end));
  const retryAt = job.signal.aborted ? undefined : pauseBefore(parts.env, stage.retry, before.failures, met);
  const body: StageBody = {
    step: 'ended',
    ...unit,
    attempt: begun.attempt,
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
    claim: `stage:${state.run}:${unitKey(unit)}:${begun.attempt}:ended`,
    artifacts: met.artifacts,
    rests: end.rests,
  });
  if (retryAt !== undefined) return { end: { status: 'retrying', reason: body.reason, retryAt }, recorded };
  return { end: { status: body.status, reason: body.reason }, recorded };
}

/** What keeps it from being begun, its locks last: of those that wait for people or events none is held. */
async function barredBy(parts: UnitParts, job: UnitJob, grip: Grip): Promise<Ended | Awaiting | HeldBack | undefined> {
  // After a stop nothing waits any more: the attempt itself says that it was stopped.
  if (job.signal.aborted) return undefined;
  return (await atGate(parts, job)) ?? (await grip.take());
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

type Tried = Ended | (UnitEnd & { readonly status: 'parked' | 'held' });

/** The next attempt where a worker is lost in one; a unit that takes its worker with it each time is not tried for ever. */
async function attemptUntilKnown(
  parts: UnitParts,
  job: UnitJob,
  grip: Grip,
  first: Attempt,
): Promise<{ begun: Attempt; end: Tried }> {
  const stage = specOf(job.pipeline, job.unit);
  let begun = first;
  for (let lost = 1; ; lost++) {
    const end = await attemptOnce(parts, job, begun, grip);
    if (end.status !== 'failed' || end.code !== 'WORKER_LOST' || lost === mostLost) return { begun, end };
    begun = startAttempt(job, stage, begun, grip.tokens);
  }
}

async function attemptOnce(parts: UnitParts, job: UnitJob, begun: Attempt, grip: Grip): Promise<Tried> {
  const { pipeline, unit, state } = job;
  try {
    const stage = fillUnit(pipeline, state, unit);
    const workspace = await parts.workspace(stage.workspace);
    const key = unitKey(unit);
    const purse = await purseOf(parts.budgets, pipeline, unit, state.run);
    for (let round = 0; round < maxRounds; round++) {
      const { tokens: locks, lost } = grip;
      const gone = lost.find(({ aborted }) => aborted);
      if (gone) return failedOn(gone.reason);
      // Also one that a killed driver had begun: after a stop nothing is done that was not done before.
      if (job.signal.aborted) return without('failed', 'It was stopped.');
      const signal = AbortSignal.any([job.signal, ...lost]);
      let rests: Written | undefined;
      const id = parts.ids();
      const early: EarlyOutcome = { id, begun: (recorded) => (rests = { id, recorded }) };
      const asked = { run: state.run, key, stage, workspace, purse, locks, begun, early, signal };
      const acted = await parts.perform(asked).catch((error: unknown) => {
        // Another that asked for the same has used the consent a moment before: nothing was done, and it is asked anew.
        if (isAgovError(error, 'APPROVAL_INVALID') && round < maxRounds - 1) return undefined;
        throw error;
      });
      if (!acted) continue;
      if (acted.verdict === 'allow') return { ...known(acted, stage, lost), ...(rests ? { rests } : {}) };
      const reason = acted.decision.reasons[0] ?? 'No policy permits it.';
      // The rules have not refused it: it is no denial that could have been expected.
      if (acted.verdict === 'deny') return without(acted.code ? 'failed' : 'denied', reason, acted.code);
      // An operator may take an hour, and nobody else should have to wait for that.
      await grip.letGo();
      const answer = await parts.ask(acted.approval, key, job.signal);
      if (answer === 'denied') return without('denied', 'An operator said no.');
      if (answer === 'later') return { status: 'parked', approval: acted.approval.id };
      const barred = await grip.take();
      if (barred) return barred;
      noteLocks(job, stage, begun, grip.tokens);
    }
    return without('failed', `It was approved ${maxRounds} times and asked again.`, 'APPROVAL_INVALID');
  } catch (error) {
    // A stage that cannot be tried has failed; what stops the record itself stops the run.
    if (stopsTheRun(error)) throw error;
    return failedOn(error);
  }
}

/** Where a lock was lost it has failed whatever came of it: somebody else may have been at it meanwhile. */
function known(
  { outcome, elsewhere, overtime }: Extract<Performed, { verdict: 'allow' }>,
  { timeout }: Stage,
  lost: readonly AbortSignal[],
): Ended {
  const late = overtime ? { code: 'BUDGET_EXCEEDED', reason: overtimeText } : {};
  const end: Ended = { ...ended(outcome, timeout), ...late, ...(elsewhere ? { elsewhere } : {}) };
  const gone = lost.find(({ aborted }) => aborted);
  if (!gone) return end;
  const { status, reason, code } = failedOn(gone.reason);
  return { ...end, status, reason, code };
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
