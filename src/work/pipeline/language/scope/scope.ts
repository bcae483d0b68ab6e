/** What an expression may read where it stands: parameters, declared outputs of what was needed, the item at hand. */
import type { Call, Parameter, Pipeline, Stage } from '../../../../schemas/index.ts';
import type { CelType, Scope } from '../../expressions/index.ts';
import { callAround, callOf, endedBefore, isFinal, isMany, localName, membersOf, stageOf } from '../stages.ts';
import { eventGateOf } from './event.ts';

export const parameterTypes: Readonly<Record<Exclude<Parameter['type'], 'secret'>, CelType>> = {
  string: 'string',
  int: 'int',
  number: 'double',
  bool: 'bool',
  list: 'list<string>',
};

/** `when`, `foreach` and the axes of a matrix: before there is an item. Also what is handed to a template. */
export function stageScope(pipeline: Pipeline, name: string): Scope {
  return scopeIn(pipeline, callAround(name), readableBy(pipeline, name), isFinal(pipeline, name));
}

/** The outputs of a template, all of whose stages have ended. */
export function templateScope(pipeline: Pipeline, call: string): Scope {
  return scopeIn(pipeline, call, membersOf(pipeline, call), false);
}

/** In the template of `call`, or where that is empty in the pipeline's own file. */
function scopeIn(pipeline: Pipeline, call: string, readable: readonly string[], final: boolean): Scope {
  const { parameters } = callOf(pipeline, call) ?? pipeline;
  return {
    run: final && call === '' ? { id: 'string', status: 'string' } : { id: 'string' },
    params: parameterScope(parameters),
    stages: Object.fromEntries(
      readable.map((other) => [celName(other), { status: 'string', outputs: outputTypes(pipeline, other) }]),
    ),
  };
}

function parameterScope(parameters: Pipeline['parameters'] | Call['parameters']): Scope {
  return Object.fromEntries(
    Object.entries(parameters).flatMap(([param, { type }]) =>
      type === 'secret' ? [] : [[param, parameterTypes[type]]],
    ),
  );
}

/** The command of a stage, or of one of its items. */
export function commandScope(pipeline: Pipeline, name: string): Scope {
  const stage = stageOf(pipeline, name);
  return {
    ...stageScope(pipeline, name),
    ...(stage.foreach === undefined ? {} : { each: { index: 'int', value: 'dyn' } as const }),
    ...(stage.matrix ? { matrix: Object.fromEntries(Object.keys(stage.matrix).map((axis) => [axis, 'dyn'])) } : {}),
    ...(eventGateOf(stage) ? { event: { data: 'dyn', operator: 'string' } as const } : {}),
  };
}

/** `outputs` may look at the result too. */
export function outputScope(pipeline: Pipeline, name: string): Scope {
  return { ...commandScope(pipeline, name), result: { stdout: 'string', output: 'dyn', facts: 'dyn' } };
}

/** What undoes a stage, or an item, knows what it had put out: `own.outputs`. */
export function undoScope(pipeline: Pipeline, name: string): Scope {
  const own = Object.entries(stageOf(pipeline, name).outputs).map(([output, of]) => [output, outputType(of)] as const);
  return { ...commandScope(pipeline, name), own: { outputs: Object.fromEntries(own) } };
}

/** `holds` of a gate looks at what one other stage put out. */
export function holdsScope(pipeline: Pipeline, name: string, other: string): Scope {
  return { ...stageScope(pipeline, name), outputs: outputTypes(pipeline, other) };
}

/** The name of a run's group, before anything of the run has been done. */
export function groupScope({ parameters }: Pipeline): Scope {
  return { params: parameterScope(parameters) };
}

/** CEL's identifiers have no `-`, and stage names no `_`, so that no two stages meet. */
export function celName(stage: string): string {
  return localName(stage).replaceAll('-', '_');
}

/** Those that have ended for certain when the stage starts. */
export function readableBy(pipeline: Pipeline, name: string): string[] {
  const isLast = isFinal(pipeline, name) && callAround(name) === '';
  const before = isLast ? membersOf(pipeline, '').filter((other) => !isFinal(pipeline, other)) : [];
  return [...before, ...endedBefore(pipeline, name)];
}

function outputTypes(pipeline: Pipeline, name: string): Scope {
  const call = callOf(pipeline, name);
  const { outputs, many } = call
    ? { outputs: call.outputs, many: false }
    : { outputs: stageOf(pipeline, name).outputs, many: isMany(stageOf(pipeline, name)) };
  return Object.fromEntries(Object.entries(outputs).map(([output, of]) => [output, many ? 'list' : outputType(of)]));
}

function outputType(output: Stage['outputs'][string]): CelType {
  return typeof output === 'string' ? 'dyn' : output.type;
}
