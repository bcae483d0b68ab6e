/** A unit as it runs: every `${{ … }}` in it replaced by its value. Validation has seen every expression before. */
import { AgovError, type Json, type JsonObject } from '../../../kernel/index.ts';
import type { Pipeline, Stage } from '../../../schemas/index.ts';
import { asText, hasHoles, type Scope, type Values } from '../expressions/index.ts';
import { emptyRun, type RunState, type Unit } from '../journal/index.ts';
import { commandScope, outputScope, stageScope, undoScope } from './scope/scope.ts';
import { evaluate, filledIn, secretIn, stageValues, unitValues } from './scope/values.ts';
import { callAround, callOf, stageOf } from './stages.ts';

/** @throws AgovError INPUT_INVALID where an expression fails on these values */
export function fillUnit(pipeline: Pipeline, state: RunState, unit: Unit): Stage {
  const stage = specOf(pipeline, unit);
  // Most stages fill in nothing, and a late one can read hundreds of others.
  let seen: { readonly scope: Scope; readonly values: Values } | undefined;
  const fill = (text: string): Json => {
    if (!hasHoles(text)) return text;
    const scopeOf = unit.undo ? undoScope : commandScope;
    seen ??= { scope: scopeOf(pipeline, unit.stage), values: unitValues(pipeline, state, unit) };
    return filledIn(text, seen.scope, seen.values);
  };
  const text = (one: string): string => asText(fill(one));
  const { run, task, env, secrets } = stage;
  return {
    ...stage,
    ...(typeof run === 'object' ? { run: run.map(text) } : {}),
    ...(task === undefined ? {} : { task: text(task) }),
    ...(stage.with ? { with: fillDeep(stage.with as JsonObject, fill) as JsonObject } : {}),
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, text(value)])),
    secrets: secretPathsOf(pipeline, unit.stage, { secrets }, state.params),
  };
}

/** Each variable's secret, where a parameter names it too. */
export function secretPathsOf(
  pipeline: Pipeline,
  stage: string,
  { secrets }: Pick<Stage, 'secrets'>,
  params: JsonObject,
): Stage['secrets'] {
  const state = { ...emptyRun, params };
  const path = (text: string): string => secretIn(pipeline, state, callAround(stage), text);
  return Object.fromEntries(Object.entries(secrets).map(([variable, text]) => [variable, path(text)]));
}

/** The stage as it is written, or what undoes it as a stage of its own. */
export function specOf(pipeline: Pipeline, { stage: name, undo }: Unit): Stage {
  const stage = stageOf(pipeline, name);
  if (!undo) return stage;
  const { agent, workspace, retry, locks, compensate } = stage;
  if (!compensate) throw new AgovError('INTERNAL', { what: `Stage "${name}" has nothing that undoes it.` });
  return {
    ...compensate,
    agent,
    workspace,
    retry,
    locks,
    needs: [],
    outputs: {},
    artifacts: {},
    expect: 'ok',
  } as Stage;
}

/**
 * The condition for which the stage is not to run, its own or that of a template around it; undefined where all hold.
 * @throws AgovError INPUT_INVALID where one cannot be told
 */
export function unmetCondition(pipeline: Pipeline, state: RunState, name: string): string | undefined {
  const holds = ([at, when]: readonly [string, string]): boolean =>
    evaluate(when, stageScope(pipeline, at), stageValues(pipeline, state, at)) === true;
  return conditionsOf(pipeline, name).find((one) => !holds(one))?.[1];
}

/** Name of the stage, or of the call around it, and its condition; from the outermost in. */
export function conditionsOf(pipeline: Pipeline, name: string): readonly (readonly [string, string])[] {
  const around = callAround(name);
  const outer = around === '' ? [] : conditionsOf(pipeline, around);
  const { when } = callOf(pipeline, name) ?? stageOf(pipeline, name);
  return when === undefined ? outer : [...outer, [name, when]];
}

const maxItems = 1000;

/** What the stage runs once for. @throws AgovError INPUT_INVALID where `foreach` fails, or gives no list or a long one */
export function itemsOf(pipeline: Pipeline, state: RunState, name: string): readonly Json[] {
  const { foreach, matrix } = stageOf(pipeline, name);
  if (matrix) return combinations(Object.entries(matrix));
  const items = evaluate(foreach ?? '[]', stageScope(pipeline, name), stageValues(pipeline, state, name));
  if (!Array.isArray(items)) throw invalid(`"foreach" of stage "${name}" gave no list.`, 'Let it give a list.');
  if (items.length > maxItems)
    throw invalid(`"foreach" of stage "${name}" gave ${items.length} items.`, `At most ${maxItems} are run.`);
  if (Buffer.byteLength(JSON.stringify(items)) > 32_768)
    throw invalid(
      `The items of stage "${name}" are over 32 KiB.`,
      'Hand on names, and keep what is large as artifacts.',
    );
  return items;
}

export function outputsOf(pipeline: Pipeline, state: RunState, unit: Unit, result: JsonObject): JsonObject {
  const scope = outputScope(pipeline, unit.stage);
  const values = { ...unitValues(pipeline, state, unit), result };
  const declared = Object.entries(stageOf(pipeline, unit.stage).outputs);
  return Object.fromEntries(
    declared.map(([output, expression]) => {
      const source = typeof expression === 'string' ? expression : expression.value;
      const value = evaluate(source, scope, values);
      if (typeof expression === 'object') expectType(output, expression.type, value);
      return [output, value];
    }),
  );
}

function expectType(output: string, type: string, value: unknown): void {
  const found = Array.isArray(value) ? 'list' : value !== null && typeof value === 'object' ? 'map' : typeof value;
  const wanted = { int: 'number', double: 'number', bool: 'boolean', map: 'map' }[type] ?? type;
  if (found === wanted && (type !== 'int' || Number.isSafeInteger(value))) return;
  throw invalid(
    `The output "${output}" is declared as ${type}, and its expression gave a ${found}.`,
    'Correct the expression, or the type.',
  );
}

function combinations(axes: readonly (readonly [string, readonly Json[]])[]): readonly JsonObject[] {
  return axes.reduce<readonly JsonObject[]>(
    (made, [axis, values]) => made.flatMap((one) => values.map((value) => ({ ...one, [axis]: value }))),
    [{}],
  );
}

function fillDeep(value: Json, fill: (text: string) => Json): Json {
  if (typeof value === 'string') return fill(value);
  if (Array.isArray(value)) return value.map((item) => fillDeep(item as Json, fill));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fillDeep(member as Json, fill)]));
}

function invalid(what: string, fix: string): AgovError {
  return new AgovError('INPUT_INVALID', { what, fix });
}
