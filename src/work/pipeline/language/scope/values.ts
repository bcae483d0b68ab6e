/**
 * Values for what `scope.ts` gives types to, from the state of a run. Those of templates follow from it: what a template
 * was handed, and what it puts out, is worked out when it is read and written down nowhere.
 */
import { AgovError, isAgovError, type Json, type JsonObject } from '../../../../kernel/index.ts';
import type { Call, Pipeline } from '../../../../schemas/index.ts';
import { compileExpression, compileTemplate, hasHoles, type Scope, type Values } from '../../expressions/index.ts';
import { type RunState, type Signal, stateOf, type Unit, unitsOf } from '../../journal/index.ts';
import { misfit } from '../parameters.ts';
import { callAround, callOf, isFinal, membersOf, stageOf, stagesUnder } from '../stages.ts';
import { eventGateOf, firstMatching } from './event.ts';
import { celName, commandScope, readableBy, stageScope, templateScope } from './scope.ts';

/** A stage that did not end well has a status and no outputs. */
export function unitValues(pipeline: Pipeline, state: RunState, unit: Unit): Values {
  const values = valuesBefore(pipeline, state, unit);
  const signal = matching(pipeline, state, unit, values);
  return signal ? { ...values, event: { data: signal.data, operator: signal.operator } } : values;
}

/** The first event that its stage's gate accepts, if it has been. */
export function signalFor(pipeline: Pipeline, state: RunState, unit: Unit): Signal | undefined {
  return matching(pipeline, state, unit, valuesBefore(pipeline, state, unit));
}

function matching(pipeline: Pipeline, state: RunState, unit: Unit, values: Values): Signal | undefined {
  const gate = eventGateOf(stageOf(pipeline, unit.stage));
  if (!gate) return undefined;
  const { undo: _undo, ...forward } = unit;
  const { awaiting } = stateOf(state, forward);
  return firstMatching(state.signals, gate, awaiting?.until, commandScope(pipeline, unit.stage), values);
}

/** Without the event that its gate waits for. */
function valuesBefore(pipeline: Pipeline, state: RunState, unit: Unit): Values {
  const { stage: name, item } = unit;
  const stage = stageOf(pipeline, name);
  const value = item === undefined ? undefined : state.items.get(name)?.[item];
  const own = stateOf(state, { stage: name, ...(item === undefined ? {} : { item }) });
  return {
    ...stageValues(pipeline, state, name),
    ...(stage.foreach !== undefined && item !== undefined ? { each: { index: item, value: value ?? null } } : {}),
    ...(stage.matrix && value !== undefined ? { matrix: value } : {}),
    ...(unit.undo ? { own: { outputs: own.outputs } } : {}),
  };
}

/** Of a stage, or of one that stands for a template: for `stageScope`. */
export function stageValues(pipeline: Pipeline, state: RunState, name: string): Values {
  const around = callAround(name);
  const status = isFinal(pipeline, name) && around === '' ? { status: statusOfRun(pipeline, state) } : {};
  return { run: { id: state.run, ...status }, ...valuesIn(pipeline, state, around, readableBy(pipeline, name)) };
}

function valuesIn(pipeline: Pipeline, state: RunState, call: string, readable: readonly string[]): Values {
  const known = callOf(pipeline, call);
  const parameter = (name: string) => [name, () => parameterOf(pipeline, state, call, name)] as const;
  return {
    params: known ? whenRead(Object.keys(known.parameters).map(parameter)) : state.params,
    stages: whenRead(readable.map((other) => [celName(other), () => resultOf(pipeline, state, other)])),
  };
}

/** Hundreds may be readable where one is read. */
function whenRead(members: readonly (readonly [string, () => Json])[]): JsonObject {
  const made: JsonObject = {};
  for (const [name, get] of members) Object.defineProperty(made, name, { enumerable: true, get });
  return made;
}

/**
 * What the template of `call` was handed under that name: of a secret its path.
 * @throws AgovError INPUT_INVALID where it is none that the template takes
 */
export function parameterOf(pipeline: Pipeline, state: RunState, call: string, name: string): Json {
  const { parameters, with: given, template } = mustCall(pipeline, call);
  const parameter = parameters[name];
  if (!parameter) throw new AgovError('INTERNAL', { what: `The template ${template} has no parameter "${name}".` });
  const written = Object.hasOwn(given, name) ? given[name] : parameter.default;
  if (written === undefined) throw new AgovError('INTERNAL', { what: `"${name}" of ${call} came through validation.` });
  if (typeof written !== 'string' || !hasHoles(written)) return written;
  if (parameter.type === 'secret') return secretIn(pipeline, state, callAround(call), written);
  const value = filledIn(written, stageScope(pipeline, call), stageValues(pipeline, state, call));
  const why = misfit(parameter, value);
  if (why === undefined) return value;
  throw new AgovError('INPUT_INVALID', {
    what: `The parameter "${name}" of stage "${call}" ${why}.`,
    fix: `Give ${template} another value there.`,
  });
}

const secretParameter = /^\$\{\{\s*params\.([a-z][a-z0-9_]*)\s*\}\}$/;

/** The parameter that `text` is, where it is nothing else. */
export function loneParameter(text: string): string | undefined {
  return secretParameter.exec(text)?.[1];
}

/** The path that `text` means, written in the template of `call` or in the pipeline's own file. */
export function secretIn(pipeline: Pipeline, state: RunState, call: string, text: string): string {
  const name = loneParameter(text);
  if (name === undefined) return text;
  return String(call === '' ? state.params[name] : parameterOf(pipeline, state, call, name));
}

/** @throws AgovError INPUT_INVALID where an expression fails on these values */
export function evaluate(source: string, scope: Scope, values: Values): Json {
  const compiled = compileExpression(source, scope);
  if (compiled.ok) return compiled.expression.evaluate(values);
  throw new AgovError('INTERNAL', { what: `An expression came through validation: ${compiled.fault.message}` });
}

/** Every `${{ … }}` of `text` by its value. @throws AgovError INPUT_INVALID where an expression fails on these values */
export function filledIn(text: string, scope: Scope, values: Values): Json {
  const compiled = compileTemplate(text, scope);
  if ('evaluate' in compiled) return compiled.evaluate(values);
  throw new AgovError('INTERNAL', { what: `A template came through validation: ${compiled[0]?.message ?? text}` });
}

export function resultOf(pipeline: Pipeline, state: RunState, name: string): JsonObject {
  const call = callOf(pipeline, name);
  if (call) return callResult(pipeline, state, name, call);
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

function callResult(pipeline: Pipeline, state: RunState, name: string, { outputs }: Call): JsonObject {
  const states = stagesUnder(pipeline, name).flatMap((stage) =>
    unitsOf(state, stage).map((unit) => stateOf(state, unit).status),
  );
  const bad = states.find((status) => status !== 'ok' && status !== 'skipped');
  if (bad !== undefined) return { status: bad, outputs: {} };
  if (states.every((status) => status === 'skipped')) return { status: 'skipped', outputs: {} };
  const scope = templateScope(pipeline, name);
  const values = { run: { id: state.run }, ...valuesIn(pipeline, state, name, membersOf(pipeline, name)) };
  const told = Object.entries(outputs).flatMap(([output, of]): [string, Json][] => {
    const value = evaluateOrNothing(typeof of === 'string' ? of : of.value, scope, values);
    return value === undefined ? [] : [[output, value]];
  });
  return { status: 'ok', outputs: Object.fromEntries(told) };
}

/** An output over a stage that was skipped is not there, which `has(…)` tells: whoever reads it all the same fails. */
function evaluateOrNothing(source: string, scope: Scope, values: Values): Json | undefined {
  try {
    return evaluate(source, scope, values);
  } catch (error) {
    if (isAgovError(error, 'INPUT_INVALID')) return undefined;
    throw error;
  }
}

function statusOfRun({ stages }: Pipeline, state: RunState): string {
  if (state.cancelling !== undefined) return 'cancelled';
  const states = Object.keys(stages).flatMap((name) => unitsOf(state, name).map((unit) => stateOf(state, unit)));
  return states.some(({ status }) => status === 'failed' || status === 'denied') ? 'failed' : 'ok';
}

function mustCall(pipeline: Pipeline, name: string): Call {
  const call = callOf(pipeline, name);
  if (!call) throw new AgovError('INTERNAL', { what: `"${name}" stands for no template.` });
  return call;
}
