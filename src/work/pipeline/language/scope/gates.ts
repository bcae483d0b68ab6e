/** What a unit's locks, its gate's conditions and its run's group come to. Validation has seen every expression before. */
import type { JsonObject } from '../../../../kernel/index.ts';
import type { EvidenceGate, Pipeline } from '../../../../schemas/index.ts';
import { asText, hasHoles } from '../../expressions/index.ts';
import type { RunState, Unit } from '../../journal/index.ts';
import { stageOf } from '../stages.ts';
import { boundedLockName, evidenceStage, lockNames } from './names.ts';
import { commandScope, groupScope, holdsScope, undoScope } from './scope.ts';
import { evaluate, filledIn, resultOf, unitValues } from './values.ts';

/** In the order in which they are taken. @throws AgovError INPUT_INVALID */
export function locksOf(pipeline: Pipeline, state: RunState, unit: Unit): readonly string[] {
  const { locks = [] } = stageOf(pipeline, unit.stage);
  const scopeOf = unit.undo ? undoScope : commandScope;
  const fill = (text: string): string =>
    hasHoles(text) ? asText(filledIn(text, scopeOf(pipeline, unit.stage), unitValues(pipeline, state, unit))) : text;
  return lockNames(locks.map(fill));
}

/** @throws AgovError INPUT_INVALID where the condition cannot be told */
export function holdsFor(pipeline: Pipeline, state: RunState, unit: Unit, of: EvidenceGate): boolean {
  const { holds } = of;
  if (holds === undefined) return true;
  const stage = evidenceStage(unit.stage, of);
  const outputs = resultOf(pipeline, state, stage)['outputs'] ?? {};
  const values = { ...unitValues(pipeline, state, unit), outputs };
  return evaluate(holds, holdsScope(pipeline, unit.stage, stage), values) === true;
}

/** Undefined for a pipeline without one. @throws AgovError INPUT_INVALID */
export function groupOf(pipeline: Pipeline, params: JsonObject): string | undefined {
  const group = pipeline.concurrency?.group;
  if (group === undefined) return undefined;
  return boundedLockName(hasHoles(group) ? asText(filledIn(group, groupScope(pipeline), { params })) : group);
}
