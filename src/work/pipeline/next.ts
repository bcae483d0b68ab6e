/**
 * What a run does next, as a function of its state. Forward until a stage fails or somebody stops it; then what was done
 * is undone, the last first; then come the final stages, whatever happened; then the end.
 */
import type { Pipeline, Stage } from '../../schemas/index.ts';
import { pendingStage, type RunState, type StageState, stateOf, type Unit, unitKey, unitsOf } from './journal/index.ts';
import { isMany } from './language/index.ts';

export type Next =
  /** Begin these, in this order; `expand` names stages whose items are to be found first. */
  | { readonly do: 'go'; readonly start: readonly Unit[]; readonly expand: readonly string[] }
  /** For what is under way; until the time given at the latest, in milliseconds since the epoch. */
  | { readonly do: 'wait'; readonly until: number | undefined }
  /** Nothing can go on before an operator has answered. */
  | { readonly do: 'park' }
  | { readonly do: 'end'; readonly status: 'ok' | 'failed' | 'cancelled'; readonly reason: string | undefined };

export interface Now {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** `unitKey`s (and names of stages that are being expanded) under way in this driver. */
  readonly busy: ReadonlySet<string>;
  /** Those at an unanswered approval. */
  readonly parked: ReadonlySet<string>;
}

export type Planner = (state: RunState, now: Now) => Next;

/** A function of its arguments alone; what it keeps between calls only spares it looking at the same stage again. */
export function createPlanner(pipeline: Pipeline): Planner {
  const [forward, final] = [createLook(pipeline.stages), createLook(pipeline.finally)];
  return (state, now) => next(pipeline, state, now, forward(state), () => final(state));
}

function next(pipeline: Pipeline, state: RunState, now: Now, forward: readonly Seen[], look: () => Seen[]): Next {
  const failure = state.cancelling ?? failureOf(forward);
  if (failure === undefined && !forward.every(isDone)) return advance(forward, state, now, pipeline.parallel);
  // What was begun comes to its end, and counts, before anything is undone: also what a killed driver began.
  const begun = forward.flatMap(({ status, units, states }) =>
    status === 'done' ? [] : units.filter((_, i) => states[i]?.status === 'open'),
  );
  const left = begun.filter((unit) => !now.busy.has(unitKey(unit)) && !now.parked.has(unitKey(unit)));
  if (left.length > 0) return { do: 'go', start: left.slice(0, pipeline.parallel), expand: [] };
  if (now.busy.size > 0) return waiting(undefined);
  const undo = failure === undefined ? undefined : nextUndo(forward, state);
  if (undo) return undoing(undo, state, now);
  const final = look();
  if (failureOf(final) === undefined && !final.every(isDone)) return advance(final, state, now, pipeline.parallel);
  if (now.busy.size > 0) return waiting(undefined);
  return ending(state, failure, [...undoFailures(forward, state), failureOf(final)]);
}

/** A stage with its units: itself alone, or its items once they are known. */
interface Seen {
  readonly name: string;
  readonly stage: Stage;
  readonly units: readonly Unit[];
  readonly states: readonly StageState[];
  readonly status: 'pending' | 'open' | 'failed' | 'done';
  /** Its items must be found before it can start. */
  readonly unexpanded: boolean;
}

function createLook(stages: Pipeline['stages']): (state: RunState) => Seen[] {
  const known = new Map<string, { readonly of: StageState | undefined; readonly seen: Seen }>();
  const all = Object.entries(stages);
  return (state) =>
    all.map(([name, stage]) => {
      const before = known.get(name);
      const of = state.stages.get(name);
      if (before && before.of === of && !isMany(stage)) return before.seen;
      const seen = lookAt(name, stage, state);
      known.set(name, { of, seen });
      return seen;
    });
}

function lookAt(name: string, stage: Stage, state: RunState): Seen {
  const units = unitsOf(state, name);
  const states = units.map((unit) => stateOf(state, unit));
  const unexpanded = isMany(stage) && !state.items.has(name) && !state.stages.has(name);
  return { name, stage, units, states, status: statusOf(states), unexpanded };
}

function statusOf(states: readonly StageState[]): Seen['status'] {
  if (states.some(({ status }) => status === 'failed' || status === 'denied')) return 'failed';
  if (states.every(({ status }) => status === 'ok' || status === 'skipped')) return 'done';
  return states.every(({ status }) => status === 'pending') ? 'pending' : 'open';
}

function isDone({ status }: Seen): boolean {
  return status === 'done';
}

function failureOf(seen: readonly Seen[]): string | undefined {
  const failed = seen.find(({ status }) => status === 'failed');
  if (!failed) return undefined;
  const at = failed.states.findIndex(({ status }) => status === 'failed' || status === 'denied');
  return `Stage "${unitKey(failed.units[at] ?? { stage: failed.name })}": ${failed.states[at]?.reason ?? 'it failed'}`;
}

function advance(seen: readonly Seen[], state: RunState, now: Now, parallel: number): Next {
  const done = new Set(seen.filter(isDone).map(({ name }) => name));
  const ready = seen.filter(({ name, stage }) => !done.has(name) && stage.needs.every((need) => done.has(need)));
  let room = parallel - now.busy.size;
  const [start, expand, due]: [Unit[], string[], number[]] = [[], [], []];
  for (const one of ready) {
    if (one.unexpanded) {
      if (room > 0 && !now.busy.has(one.name)) {
        expand.push(one.name);
        room -= 1;
      }
      continue;
    }
    let own = (one.stage.parallel ?? parallel) - one.units.filter((unit) => now.busy.has(unitKey(unit))).length;
    for (const [i, unit] of one.units.entries()) {
      const when = startable(unit, one.states[i] ?? pendingStage, now);
      if (when === undefined) continue;
      if (when > now.at) due.push(when);
      else if (room > 0 && own > 0) {
        start.push(unit);
        room -= 1;
        own -= 1;
      }
    }
  }
  if (start.length + expand.length > 0) return { do: 'go', start, expand };
  if (now.busy.size > 0 || due.length > 0) return waiting(due.length > 0 ? Math.min(...due) : undefined);
  if (now.parked.size > 0) return { do: 'park' };
  const stuck = seen.find((one) => !isDone(one));
  return ending(state, `Stage "${stuck?.name}" needs what never comes.`, []);
}

/** When the unit may start; undefined when it has ended, is under way, or waits for an answer. */
function startable(unit: Unit, { status, retryAt }: StageState, { at, busy, parked }: Now): number | undefined {
  const key = unitKey(unit);
  if (busy.has(key) || parked.has(key)) return undefined;
  if (status === 'pending' || status === 'open') return at;
  return status === 'retrying' ? (retryAt ?? at) : undefined;
}

/** The last of what ended well, can be undone, and has not been. One after the other: they may rest on each other. */
function nextUndo(seen: readonly Seen[], state: RunState): Unit | undefined {
  const left = undoable(seen).filter(([unit]) => {
    const { status } = stateOf(state, unit);
    return status === 'pending' || status === 'open' || status === 'retrying';
  });
  return left.sort(([, a], [, b]) => b.endedSeq - a.endedSeq)[0]?.[0];
}

function undoable(seen: readonly Seen[]): [Unit, StageState][] {
  return seen
    .filter(({ stage }) => stage.compensate !== undefined)
    .flatMap(({ units, states }) =>
      units.flatMap((unit, i): [Unit, StageState][] => {
        const done = states[i];
        return done?.status === 'ok' ? [[{ ...unit, undo: true }, done]] : [];
      }),
    );
}

function undoFailures(seen: readonly Seen[], state: RunState): string[] {
  return undoable(seen).flatMap(([unit]) => {
    const undone = state.stages.get(unitKey(unit));
    if (undone?.status !== 'failed' && undone?.status !== 'denied') return [];
    return [`"${unitKey({ ...unit, undo: undefined })}" could not be undone: ${undone.reason ?? 'it failed'}`];
  });
}

function undoing(unit: Unit, state: RunState, now: Now): Next {
  const key = unitKey(unit);
  if (now.parked.has(key)) return { do: 'park' };
  const at = startable(unit, stateOf(state, unit), now);
  return at !== undefined && at <= now.at ? { do: 'go', start: [unit], expand: [] } : waiting(at);
}

function waiting(until: number | undefined): Next {
  return { do: 'wait', until };
}

function ending(state: RunState, failure: string | undefined, later: readonly (string | undefined)[]): Next {
  const reasons = [failure, ...later].filter((reason) => reason !== undefined);
  if (reasons.length === 0) return { do: 'end', status: 'ok', reason: undefined };
  return { do: 'end', status: state.cancelling === undefined ? 'failed' : 'cancelled', reason: reasons.join(' ') };
}
