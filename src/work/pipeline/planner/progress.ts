/**
 * The stages of one part of a pipeline (the forward ones, or the final ones) as a run has them. It keeps up with the run by
 * what was touched since it looked last, so that a step costs what happened, not what there is.
 */
import type { Pipeline, Stage } from '../../../schemas/index.ts';
import {
  type RunState,
  type StageState,
  stateOf,
  type Touched,
  type Unit,
  unitKey,
  unitsOf,
} from '../journal/index.ts';
import { isMany } from '../language/index.ts';

/** A stage with its units: itself alone, or its items once they are known. */
export interface Seen {
  readonly name: string;
  readonly stage: Stage;
  readonly units: readonly Unit[];
  readonly states: readonly StageState[];
  readonly status: 'pending' | 'open' | 'failed' | 'done';
  /** Its items must be found before it can start. */
  readonly unexpanded: boolean;
}

export interface Progress {
  /** In the order of the file. */
  all(): Iterable<Seen>;
  /** Not done, and all that they need is; in the order of the file. */
  ready(): Iterable<Seen>;
  readonly allDone: boolean;
  /** Of the first in the order of the file that has failed. */
  readonly failure: string | undefined;
}

/** A function of the state alone: what it keeps between calls only spares it looking at the same stages again. */
export function createProgress(stages: Pipeline['stages']): (state: RunState) => Progress {
  const names = Object.keys(stages);
  const index = new Map(names.map((name, at) => [name, at]));
  let made: Made | undefined;
  return (state) => {
    if (made === undefined || made.log !== state.touched) made = make(stages, names, index, state);
    else made.keepUp(state);
    return made;
  };
}

interface Made extends Progress {
  /** What it keeps up with: another run has another. */
  readonly log: readonly Touched[];
  keepUp(state: RunState): void;
}

function make(
  stages: Pipeline['stages'],
  names: readonly string[],
  index: ReadonlyMap<string, number>,
  first: RunState,
): Made {
  const seen: Seen[] = [];
  const needed = new Map<string, string[]>();
  const unmet: number[] = [];
  const ready: number[] = [];
  const failed = new Set<number>();
  let upTo = first.touched.length;
  let done = 0;

  const setReady = (at: number): void => void ready.splice(place(ready, at), 0, at);
  const settle = (at: number): void => {
    const name = names[at] ?? '';
    done += 1;
    const from = place(ready, at);
    if (ready[from] === at) ready.splice(from, 1);
    for (const after of needed.get(name) ?? []) {
      const other = index.get(after) ?? 0;
      unmet[other] = (unmet[other] ?? 0) - 1;
      if (unmet[other] === 0 && seen[other]?.status !== 'done') setReady(other);
    }
  };
  const lookAgain = (name: string, item: number | undefined, state: RunState): void => {
    const at = index.get(name);
    const stage = stages[name];
    // It is about a stage of the other part.
    if (at === undefined || stage === undefined) return;
    const known = seen[at];
    const now = known && item !== undefined ? lookAtItem(known, item, state) : lookAt(name, stage, state);
    seen[at] = now;
    if (now.status === 'failed') failed.add(at);
    else failed.delete(at);
    if (known?.status !== 'done' && now.status === 'done') settle(at);
  };

  for (const [at, name] of names.entries()) {
    const needs = new Set(stages[name]?.needs);
    unmet.push(needs.size);
    for (const need of needs) needed.set(need, [...(needed.get(need) ?? []), name]);
    if (needs.size === 0) ready.push(at);
  }
  for (const name of names) lookAgain(name, undefined, first);

  return {
    log: first.touched,
    keepUp(state) {
      for (; upTo < state.touched.length; upTo++) {
        const touched = state.touched[upTo];
        if (touched) lookAgain(touched.stage, touched.item, state);
      }
    },
    all: () => seen,
    *ready() {
      for (const at of [...ready]) if (seen[at]) yield seen[at];
    },
    get allDone() {
      return done === names.length;
    },
    get failure() {
      const at = Math.min(...failed);
      return seen[at] && failureOf(seen[at]);
    },
  };
}

/** Where `at` stands, or would stand, in a sorted list. */
function place(sorted: readonly number[], at: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lookAt(name: string, stage: Stage, state: RunState): Seen {
  const units = unitsOf(state, name);
  const states = units.map((unit) => stateOf(state, unit));
  const unexpanded = isMany(stage) && !state.items.has(name) && !state.stages.has(name);
  return { name, stage, units, states, status: statusOf(states), unexpanded };
}

/** One item of many has moved on: the others are as they were. */
function lookAtItem(known: Seen, item: number, state: RunState): Seen {
  const states = [...known.states];
  states[item] = stateOf(state, known.units[item] ?? { stage: known.name, item });
  return { ...known, states, status: statusOf(states) };
}

function statusOf(states: readonly StageState[]): Seen['status'] {
  if (states.some(({ status }) => status === 'failed' || status === 'denied')) return 'failed';
  if (states.every(({ status }) => status === 'ok' || status === 'skipped')) return 'done';
  return states.every(({ status }) => status === 'pending') ? 'pending' : 'open';
}

function failureOf({ name, units, states }: Seen): string {
  const at = states.findIndex(({ status }) => status === 'failed' || status === 'denied');
  return `Stage "${unitKey(units[at] ?? { stage: name })}": ${states[at]?.reason ?? 'it failed'}`;
}
