/** What of a pipeline is still to be done: all of it before a run, the rest of it where a run goes on or is taken over. */

import { isAgovError } from '../../../kernel/index.ts';
import type { Pipeline, Stage } from '../../../schemas/index.ts';
import { turnLock } from '../driving/group/names.ts';
import { stageLock } from '../driving/locks/index.ts';
import { emptyRun, type RunState, stateOf, type Unit, unitKey, unitsOf } from '../journal/index.ts';
import { groupOf, locksOf, type Parameters, secretPathsOf, specOf } from '../language/index.ts';

export interface Outlook {
  readonly pipeline: Pipeline;
  readonly params: Parameters;
  /** In the order of the file, items as one; what undoes a stage comes after it, and the final stages last. */
  readonly units: readonly Unit[];
  /** The run that has begun, or whose stages are taken over. */
  readonly run: string | undefined;
  /** That very run goes on. */
  readonly resumes: boolean;
  /** Where it is done; in one process where there is none. */
  readonly engine: RunState['engine'];
}

export interface OutlookUnit {
  readonly key: string;
  readonly unit: Unit;
  /** As written, but for the paths of its secrets. */
  readonly spec: Stage;
}

export function outlookOf(pipeline: Pipeline, params: Parameters, engine?: RunState['engine']): Outlook {
  return { pipeline, params, units: unitsIn(pipeline, () => false), run: undefined, resumes: false, engine };
}

/** Of a run that is resumed. */
export function outlookOfRun(pipeline: Pipeline, state: RunState): Outlook {
  const ended = (unit: Unit): boolean => {
    const states = unitsOf(state, unit.stage).map((one) => stateOf(state, { ...one, ...unit }));
    return states.every(({ status }) => status === 'ok' || status === 'skipped');
  };
  const forward = new Set(Object.keys(pipeline.stages));
  // One that is being cancelled begins nothing but what undoes and ends.
  const over = (unit: Unit): boolean => state.cancelling !== undefined && !unit.undo && forward.has(unit.stage);
  return {
    pipeline,
    params: state.params,
    units: unitsIn(pipeline, (unit) => ended(unit) || over(unit)),
    run: state.run,
    resumes: true,
    engine: state.engine,
  };
}

/** Of a new run that does `again` these stages of an old one, and takes over the others. */
export function outlookOfRetry(
  pipeline: Pipeline,
  old: RunState,
  again: ReadonlySet<string>,
  engine: RunState['engine'] = old.engine,
): Outlook {
  const kept = ({ stage, undo }: Unit): boolean => !undo && Object.hasOwn(pipeline.stages, stage) && !again.has(stage);
  return {
    pipeline,
    params: old.params,
    units: unitsIn(pipeline, kept),
    run: old.run,
    resumes: false,
    engine,
  };
}

export function outlookUnits({ pipeline, params, units }: Outlook): readonly OutlookUnit[] {
  return units.map((unit) => {
    const spec = specOf(pipeline, unit);
    return { key: unitKey(unit), unit, spec: { ...spec, secrets: secretPathsOf(pipeline, unit.stage, spec, params) } };
  });
}

/** A lock that the run will want, and who wants it: a stage, or the run itself for its group. */
export interface WantedLock {
  readonly unit: string | undefined;
  readonly name: string;
  /** Under which the state store keeps it. */
  readonly stored: string;
}

/** Those that the parameters alone name. @throws AgovError INPUT_INVALID for a group that is no name */
export function wantedLocks({ pipeline, params, units }: Outlook): readonly WantedLock[] {
  const state = { ...emptyRun, params };
  const group = groupOf(pipeline, params);
  const ofRun = group === undefined ? [] : [{ unit: undefined, name: group, stored: turnLock(group) }];
  const ofUnits = units.flatMap((unit): WantedLock[] => {
    try {
      return locksOf(pipeline, state, unit).map((name) => ({ unit: unitKey(unit), name, stored: stageLock(name) }));
    } catch (error) {
      // It hangs on what the run itself makes.
      if (isAgovError(error, 'INPUT_INVALID')) return [];
      throw error;
    }
  });
  return [...ofRun, ...ofUnits];
}

function unitsIn({ stages, finally: final }: Pipeline, without: (unit: Unit) => boolean): readonly Unit[] {
  const forward = Object.entries(stages).flatMap(([stage, { compensate }]): Unit[] =>
    compensate ? [{ stage }, { stage, undo: true }] : [{ stage }],
  );
  return [...forward, ...Object.keys(final).map((stage): Unit => ({ stage }))].filter((unit) => !without(unit));
}
