/** What an expression may read where it stands: parameters, declared outputs of what was needed, the item at hand. */
import type { Json, JsonObject } from '../../../kernel/index.ts';
import type { Parameter, Pipeline, Stage } from '../../../schemas/index.ts';
import type { CelType, Scope, Values } from '../expressions/index.ts';
import { type RunState, stateOf, type Unit, unitsOf } from '../journal/index.ts';
import { ancestorsOf, isFinal, isMany, stageOf } from './stages.ts';

const parameterTypes: Readonly<Record<Exclude<Parameter['type'], 'secret'>, CelType>> = {
  string: 'string',
  int: 'int',
  number: 'double',
  bool: 'bool',
  list: 'list<string>',
};

/** `when`, `foreach` and the axes of a matrix: before there is an item. */
export function stageScope(pipeline: Pipeline, name: string): Scope {
  const readable = readableBy(pipeline, name).map((other) => {
    const stage = stageOf(pipeline, other);
    return [celName(other), { status: 'string', outputs: outputTypes(stage) }] as const;
  });
  return {
    run: isFinal(pipeline, name) ? { id: 'string', status: 'string' } : { id: 'string' },
    params: Object.fromEntries(
      Object.entries(pipeline.parameters).flatMap(([param, { type }]) =>
        type === 'secret' ? [] : [[param, parameterTypes[type]]],
      ),
    ),
    stages: Object.fromEntries(readable),
  };
}

/** The command of a stage, or of one of its items. */
export function commandScope(pipeline: Pipeline, name: string): Scope {
  const stage = stageOf(pipeline, name);
  return {
    ...stageScope(pipeline, name),
    ...(stage.foreach === undefined ? {} : { each: { index: 'int', value: 'dyn' } as const }),
    ...(stage.matrix ? { matrix: Object.fromEntries(Object.keys(stage.matrix).map((axis) => [axis, 'dyn'])) } : {}),
  };
}

/** `outputs` may look at the result too. */
export function outputScope(pipeline: Pipeline, name: string): Scope {
  return { ...commandScope(pipeline, name), result: { stdout: 'string', facts: 'dyn' } };
}

/** What undoes a stage, or an item, knows what it had put out: `own.outputs`. */
export function undoScope(pipeline: Pipeline, name: string): Scope {
  const own = Object.entries(stageOf(pipeline, name).outputs).map(([output, of]) => [output, outputType(of)] as const);
  return { ...commandScope(pipeline, name), own: { outputs: Object.fromEntries(own) } };
}

/** Values for each of these scopes. A stage that did not end well has a status and no outputs. */
export function unitValues(pipeline: Pipeline, state: RunState, unit: Unit): Values {
  const { stage: name, item } = unit;
  const stage = stageOf(pipeline, name);
  const value = item === undefined ? undefined : state.items.get(name)?.[item];
  const own = stateOf(state, { stage: name, ...(item === undefined ? {} : { item }) });
  return {
    run: { id: state.run, ...(isFinal(pipeline, name) ? { status: statusOfRun(pipeline, state) } : {}) },
    params: state.params,
    stages: Object.fromEntries(
      readableBy(pipeline, name).map((other) => [celName(other), resultOf(pipeline, state, other)]),
    ),
    ...(stage.foreach !== undefined && item !== undefined ? { each: { index: item, value: value ?? null } } : {}),
    ...(stage.matrix && value !== undefined ? { matrix: value } : {}),
    ...(unit.undo ? { own: { outputs: own.outputs } } : {}),
  };
}

/** CEL's identifiers have no `-`, and stage names no `_`, so that no two stages meet. */
export function celName(stage: string): string {
  return stage.replaceAll('-', '_');
}

/** Those that have ended for certain when the stage starts. */
function readableBy(pipeline: Pipeline, name: string): string[] {
  const before = isFinal(pipeline, name) ? Object.keys(pipeline.stages) : [];
  return [...before, ...ancestorsOf(pipeline, name)];
}

function resultOf(pipeline: Pipeline, state: RunState, name: string): JsonObject {
  const stage = stageOf(pipeline, name);
  if (state.stages.has(name) || !state.items.has(name)) {
    const { status, outputs } = stateOf(state, { stage: name });
    return { status, outputs };
  }
  const states = unitsOf(state, name).map((unit) => stateOf(state, unit));
  const bad = states.find(({ status }) => status !== 'ok' && status !== 'skipped');
  if (bad) return { status: bad.status, outputs: {} };
  const lists = Object.keys(stage.outputs).map((output): [string, Json] => [
    output,
    states.map(({ outputs }) => outputs[output] ?? null),
  ]);
  return { status: 'ok', outputs: Object.fromEntries(lists) };
}

function statusOfRun({ stages }: Pipeline, state: RunState): string {
  if (state.cancelling !== undefined) return 'cancelled';
  const states = Object.keys(stages).flatMap((name) => unitsOf(state, name).map((unit) => stateOf(state, unit)));
  return states.some(({ status }) => status === 'failed' || status === 'denied') ? 'failed' : 'ok';
}

function outputTypes(stage: Stage): Scope {
  const many = isMany(stage);
  return Object.fromEntries(
    Object.entries(stage.outputs).map(([name, output]) => [name, many ? 'list' : outputType(output)]),
  );
}

function outputType(output: Stage['outputs'][string]): CelType {
  return typeof output === 'string' ? 'dyn' : output.type;
}
