/** A gate's evidence and its event. Whom it asks is the governor's matter, with the intent. */
import type { Artifacts } from '../../../../governance/evidence/index.ts';
import { AgovError, type Env, isAgovError, isoTime, messageOf, parseDuration } from '../../../../kernel/index.ts';
import type { EventGate, EvidenceGate } from '../../../../schemas/index.ts';
import { stateOf, unitKey, unitsOf } from '../../journal/index.ts';
import { evidenceStage, holdsFor, signalFor, stageOf } from '../../language/index.ts';
import { type Ended, failedOn, type UnitJob, without } from '../attempt/index.ts';

export interface GateParts {
  readonly env: Env;
  readonly artifacts: Artifacts;
}

/** Its event has not come; `until` in milliseconds since the epoch. */
export interface Awaiting {
  readonly status: 'awaiting';
  readonly event: string;
  readonly until: number | undefined;
}

export type AtGate = Ended | Awaiting | undefined;

/** Why the unit may not start, or not yet; undefined when the gate is open. */
export async function atGate(parts: GateParts, job: UnitJob): Promise<AtGate> {
  const { gate } = stageOf(job.pipeline, job.unit.stage);
  // What undoes a stage asks people and nothing else.
  if (gate === undefined || gate === 'approval' || job.unit.undo) return undefined;
  const missing = await firstMissing(parts.artifacts, job, gate.evidence ?? []);
  if (missing) return failedOn(missing);
  return gate.event && awaitEvent(parts.env, job, gate.event);
}

async function firstMissing(
  artifacts: Artifacts,
  job: UnitJob,
  evidence: readonly EvidenceGate[],
): Promise<AgovError | undefined> {
  for (const one of evidence) {
    const why = (await notThere(artifacts, job, one)) ?? doesNotHold(job, one);
    if (why !== undefined) return missing(one, why);
  }
  return undefined;
}

/** Every item of a stage must have it: what is missing of one is missing. */
async function notThere(
  artifacts: Artifacts,
  { unit: { stage: asking }, state }: UnitJob,
  of: EvidenceGate,
): Promise<string | undefined> {
  const units = unitsOf(state, evidenceStage(asking, of));
  if (units.length === 0) return `Stage "${of.stage}" had no items, and so made nothing.`;
  for (const unit of units) {
    const { status, artifacts: made } = stateOf(state, unit);
    const key = unitKey(unit);
    if (status !== 'ok') return `Stage "${key}" has not ended well (${status}).`;
    const kept = made.find(({ name }) => name === of.artifact);
    if (!kept) return `Stage "${key}" left no artifact "${of.artifact}".`;
    try {
      await artifacts.get(kept.sha256);
    } catch (error) {
      if (!isAgovError(error)) throw error;
      return `Its bytes cannot be had: ${messageOf(error)}`;
    }
  }
  return undefined;
}

function doesNotHold({ pipeline, state, unit }: UnitJob, of: EvidenceGate): string | undefined {
  try {
    return holdsFor(pipeline, state, unit, of) ? undefined : `The condition does not hold: ${of.holds}`;
  } catch (error) {
    if (isAgovError(error, 'INPUT_INVALID')) return error.message;
    throw error;
  }
}

function missing({ stage, artifact }: EvidenceGate, why: string): AgovError {
  return new AgovError('EVIDENCE_MISSING', {
    what: `The gate asks for artifact "${artifact}" of stage "${stage}", and it does not stand.`,
    why,
    fix: `Let stage "${stage}" make it again: agov pipeline retry RUN --from ${stage}`,
  });
}

/** From the first time that it is asked the time runs, on record: a driver that dies does not put it off. */
function awaitEvent(env: Env, { pipeline, unit, journal, state }: UnitJob, gate: EventGate): AtGate {
  if (signalFor(pipeline, state, unit)) return undefined;
  const { awaiting } = stateOf(state, unit);
  const patience = gate.timeout === undefined ? undefined : parseDuration(gate.timeout);
  const until = awaiting ? awaiting.until : patience && env.now() + patience;
  if (!awaiting) {
    const { agent } = stageOf(pipeline, unit.stage);
    const claim = `stage:${state.run}:${unitKey(unit)}:awaiting`;
    const end = until === undefined ? {} : { until: isoTime(until) };
    journal.writeStage({ step: 'awaiting', ...unit, event: gate.name, ...end }, { agent, claim });
  }
  if (until === undefined || env.now() < until) return { status: 'awaiting', event: gate.name, until };
  return without('failed', `No event "${gate.name}" came within ${gate.timeout}.`, 'TIMEOUT');
}
