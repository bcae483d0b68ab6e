/**
 * What a run does next, as a function of its state. Forward until a stage fails or somebody stops it; then what was done
 * is undone, the last first; then come the final stages, whatever happened; then the end.
 */
import type { Pipeline } from '../../../schemas/index.ts';
import { pendingStage, type RunState, type StageState, stateOf, type Unit, unitKey } from '../journal/index.ts';
import { createProgress, type Progress, type Seen } from './progress.ts';

export type Next =
  /** Begin these, in this order; `expand` names stages whose items are to be found first. */
  | { readonly do: 'go'; readonly start: readonly Unit[]; readonly expand: readonly string[] }
  /** For what is under way; until the time given at the latest, in milliseconds since the epoch. */
  | { readonly do: 'wait'; readonly until: number | undefined }
  /** Nothing can go on before an operator has answered, or an event has come. */
  | { readonly do: 'park' }
  | { readonly do: 'end'; readonly status: 'ok' | 'failed' | 'cancelled'; readonly reason: string | undefined };

export interface Now {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** `unitKey`s under way in this driver. */
  readonly busy: ReadonlySet<string>;
  /** Those at an unanswered approval, or whose event has not come. */
  readonly parked: ReadonlySet<string>;
  /** Those that others kept from their locks, and when they may be tried again, in milliseconds since the epoch. */
  readonly held: ReadonlyMap<string, number>;
}

export type Planner = (state: RunState, now: Now) => Next;

/** A function of its arguments alone; what it keeps between calls only spares it looking at the same stages again. */
export function createPlanner(pipeline: Pipeline): Planner {
  const [forward, final] = [createProgress(pipeline.stages), createProgress(pipeline.finally)];
  return (state, now) => next(pipeline, state, now, forward(state), () => final(state));
}

function next(pipeline: Pipeline, state: RunState, now: Now, forward: Progress, look: () => Progress): Next {
  const failure = state.cancelling ?? forward.failure;
  if (failure === undefined && !forward.allDone) return advance(forward, state, now, pipeline.parallel);
  const seen = failure === undefined ? [] : [...forward.all()];
  // What was begun comes to its end, and counts, before anything is undone: also what a killed driver began.
  const left = seen.flatMap((one) => begunAndLeft(one, now));
  const due = left.filter((unit) => (now.held.get(unitKey(unit)) ?? 0) <= now.at);
  if (due.length > 0) return { do: 'go', start: due.slice(0, pipeline.parallel), expand: [] };
  if (left.length > 0) return waiting(Math.min(...left.map((unit) => now.held.get(unitKey(unit)) ?? now.at)));
  if ([...now.busy].some((key) => !isFinalUnit(pipeline, key))) return waiting(undefined);
  const undo = nextUndo(seen, state);
  if (undo) return undoing(undo, state, now);
  const final = look();
  if (final.failure === undefined && !final.allDone) return advance(final, state, now, pipeline.parallel);
  if (now.busy.size > 0) return waiting(undefined);
  return ending(state, failure, [...undoFailures(seen, state), final.failure]);
}

function begunAndLeft({ status, units, states }: Seen, { busy, parked }: Now): readonly Unit[] {
  if (status === 'done' || status === 'pending') return [];
  return units.filter((unit, i) => {
    const key = unitKey(unit);
    return states[i]?.status === 'open' && !busy.has(key) && !parked.has(key);
  });
}

function isFinalUnit({ finally: final }: Pipeline, key: string): boolean {
  return Object.hasOwn(final, key.replace(/\[.*$/, ''));
}

function advance(progress: Progress, state: RunState, now: Now, parallel: number): Next {
  let room = parallel - now.busy.size;
  if (room <= 0) return waiting(undefined);
  const [start, expand, due]: [Unit[], string[], number[]] = [[], [], []];
  for (const one of progress.ready()) {
    if (room === 0) break;
    if (one.unexpanded) {
      expand.push(one.name);
      room -= 1;
      continue;
    }
    let own = Math.min(room, (one.stage.parallel ?? parallel) - busyOf(one, now));
    for (let i = 0; own > 0 && i < one.units.length; i++) {
      const unit = one.units[i] ?? { stage: one.name };
      const when = startable(unit, one.states[i] ?? pendingStage, now);
      if (when === undefined) continue;
      if (when > now.at) {
        due.push(when);
        continue;
      }
      start.push(unit);
      room -= 1;
      own -= 1;
    }
  }
  if (start.length + expand.length > 0) return { do: 'go', start, expand };
  if (now.busy.size > 0 || due.length > 0) return waiting(due.length > 0 ? Math.min(...due) : undefined);
  if (now.parked.size > 0) return { do: 'park' };
  const [stuck] = progress.ready();
  return ending(state, `Stage "${stuck?.name}" needs what never comes.`, []);
}

function busyOf({ name, units }: Seen, { busy }: Now): number {
  if (units.length === 1) return busy.has(name) || busy.has(`${name}[0]`) ? 1 : 0;
  return [...busy].filter((key) => key.startsWith(`${name}[`)).length;
}

/** When the unit may start; undefined when it has ended, is under way, or waits for an answer. */
function startable(unit: Unit, { status, retryAt }: StageState, { at, busy, parked, held }: Now): number | undefined {
  if (status !== 'pending' && status !== 'open' && status !== 'retrying') return undefined;
  const key = unitKey(unit);
  if (busy.has(key) || parked.has(key)) return undefined;
  return Math.max(status === 'retrying' ? (retryAt ?? at) : at, held.get(key) ?? at);
}

/** The last of what ended well, can be undone, and has not been. One after the other: they may rest on each other. */
function nextUndo(seen: readonly Seen[], state: RunState): Unit | undefined {
  const left = undoable(seen).filter(([unit]) => {
    const { status } = stateOf(state, unit);
    return status === 'pending' || status === 'open' || status === 'retrying';
  });
  return left.sort(([, a], [, b]) => b.endedOrder - a.endedOrder)[0]?.[0];
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
