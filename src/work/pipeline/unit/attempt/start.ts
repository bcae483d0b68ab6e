/** How an attempt begins: with an entry of its own, or where a driver that died has left it. */
import type { Ledger } from '../../../../governance/ledger/index.ts';
import type { JsonObject } from '../../../../kernel/index.ts';
import type { Decision, Entry, Stage } from '../../../../schemas/index.ts';
import { type StageState, unitKey } from '../../journal/index.ts';
import type { Begun } from '../command.ts';
import { type Ended, endOf } from './ended.ts';
import type { UnitJob } from './job.ts';

/** Its entry may still be on its way. */
export interface Attempt extends Begun {
  /** What came of it already, under another driver. */
  readonly finished?: Ended;
}

/**
 * An open attempt is taken up again when its driver died before the effect, or after the outcome; when the outcome is
 * unknown the next attempt begins.
 */
export function openAttempt(ledger: Ledger, { timeout }: Stage, before: StageState): Attempt | undefined {
  if (before.status !== 'open' || before.startedEntry === undefined) return undefined;
  const outcome = lastOutcome(ledger, before.startedEntry);
  const known = { attempt: before.attempt, id: before.startedEntry, recorded: Promise.resolve() };
  const taken = { ...known, taken: true } as const;
  if (!outcome) return wasLost(ledger, before.startedEntry) ? undefined : taken;
  return outcome.body['status'] === 'unknown' ? undefined : { ...taken, finished: endOf(outcome, timeout) };
}

/** Its entry claims its number, and names the locks that it holds. */
export function startAttempt(
  { state: { run }, unit, journal }: UnitJob,
  { agent }: Stage,
  before: Pick<StageState, 'attempt'>,
  locks: Readonly<Record<string, number>>,
): Attempt {
  const attempt = before.attempt + 1;
  const claim = `stage:${run}:${unitKey(unit)}:${attempt}:started`;
  const held = Object.keys(locks).length > 0 ? { locks } : {};
  return { attempt, ...journal.writeStage({ step: 'started', ...unit, attempt, ...held }, { agent, claim }) };
}

/** The locks of an attempt that was begun before it held them. */
export function noteLocks(
  { state: { run }, unit, journal }: UnitJob,
  { agent }: Stage,
  { attempt, id }: Attempt,
  locks: Readonly<Record<string, number>>,
): void {
  const tokens = Object.values(locks);
  if (tokens.length === 0) return;
  const claim = `stage:${run}:${unitKey(unit)}:${attempt}:locked:${Math.max(...tokens)}`;
  journal.writeStage({ step: 'locked', ...unit, attempt, locks: { ...locks } }, { agent, claim, parent: id });
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
