/** A stage that stands for a template: what may stand in it, and whether what it hands over fits. */
import type { Json } from '../../../../kernel/index.ts';
import {
  nearest,
  type Parameter,
  type Pipeline,
  stageSchema,
  type WrittenStage,
  type YamlPath,
} from '../../../../schemas/index.ts';
import {
  compileExpression,
  compileTemplate,
  type ExpressionFault,
  hasHoles,
  type Scope,
} from '../../expressions/index.ts';
import { misfit } from '../parameters.ts';
import { parameterTypes, stageScope, templateScope } from '../scope/scope.ts';
import { loneParameter } from '../scope/values.ts';
import { callOf } from '../stages.ts';
import type { Frame } from './frame.ts';

export type Tell = (path: YamlPath, fault: ExpressionFault) => void;

const allowed = new Set(['uses', 'with', 'needs', 'when']);
const inside = 'It stands for several stages: put it on those of the template that it is meant for.';
const instead: Readonly<Record<string, string>> = {
  agent: 'Its stages name their agents: hand yours over under "with", where the template takes it.',
  foreach: 'A template is not repeated: put "foreach" on a stage inside it, and hand the list over under "with".',
  matrix: 'A template is not repeated: put "matrix" on a stage inside it, or use the template once for each value.',
  parallel: 'A template is not repeated: put "parallel" beside the "foreach" of a stage inside it.',
  outputs: 'The template says what it puts out, under its own "outputs".',
  compensate: 'Its stages are undone each by itself: put "compensate" on them.',
  retry: 'Its stages are tried again each by itself: put "retry" on them.',
};

/** Keys that have no meaning on such a stage, with what to do instead. */
export function checkKeys(stage: WrittenStage, at: YamlPath, report: (path: YamlPath, message: string) => void): void {
  const plain = stageSchema.parse({ uses: 'agov:template' }) as Readonly<Record<string, unknown>>;
  for (const [key, value] of Object.entries(stage)) {
    if (allowed.has(key) || JSON.stringify(value) === JSON.stringify(plain[key])) continue;
    report([...at, key], `"${key}" cannot stand where a template is used. ${instead[key] ?? inside}`);
  }
}

/** What is handed over against what the template takes, its condition, and what it puts out. */
export function checkCall(pipeline: Pipeline, { name, with: given, module }: Frame, told: Told): void {
  const scope = stageScope(pipeline, name);
  const { template = '', when } = callOf(pipeline, name) ?? {};
  const { parameters } = module;
  const { caller, own } = told;
  if (when !== undefined) {
    const compiled = compileExpression(when, scope, 'bool');
    if (!compiled.ok) caller(['when'], compiled.fault);
  }
  for (const [key, value] of Object.entries(given)) {
    const parameter = Object.hasOwn(parameters, key) ? parameters[key] : undefined;
    const at = ['with', key];
    if (parameter) checkGiven(key, parameter, value as Json, scope, told.secret, (fault) => caller(at, fault));
    else {
      const suggestion = nearest(key, Object.keys(parameters));
      caller(at, { message: `The template ${template} has no parameter "${key}".`, suggestion });
    }
  }
  const missing = Object.keys(parameters).filter(
    (key) => parameters[key]?.default === undefined && !Object.hasOwn(given, key),
  );
  for (const key of missing) caller(['with'], { message: `The template ${template} needs "${key}".` });
  for (const [output, declared] of Object.entries(module.outputs)) {
    const [source, path] = typeof declared === 'string' ? [declared, []] : [declared.value, ['value']];
    const compiled = compileExpression(source, templateScope(pipeline, name));
    if (!compiled.ok) own(['outputs', output, ...path], compiled.fault);
  }
}

export interface Told {
  /** At a place of the stage that uses the template. */
  readonly caller: Tell;
  /** At a place of the template. */
  readonly own: Tell;
  /** Whether whoever uses it has a secret parameter of that name. */
  secret(name: string): boolean;
}

function checkGiven(
  key: string,
  parameter: Parameter,
  value: Json,
  scope: Scope,
  isSecret: Told['secret'],
  tell: (fault: ExpressionFault) => void,
): void {
  const { type } = parameter;
  if (typeof value !== 'string' || !hasHoles(value)) {
    const why = holesWithin(value)
      ? 'is filled in as a whole: write one "${{ … }}" that gives it'
      : misfit(parameter, value);
    if (why !== undefined) tell({ message: `"${key}" ${value === null ? 'is to be filled in: it ' : ''}${why}.` });
    return;
  }
  if (type === 'secret') {
    const name = loneParameter(value);
    if (name !== undefined && isSecret(name)) return;
    tell({ message: 'Here stands the path of a secret, or "${{ params.NAME }}" of type "secret" alone.' });
    return;
  }
  const lone = /^\$\{\{((?:(?!\}\}).)*)\}\}$/s.exec(value)?.[1];
  if (lone === undefined) {
    const compiled = compileTemplate(value, scope);
    if (!('evaluate' in compiled)) for (const fault of compiled) tell(fault);
    else if (type !== 'string')
      tell({ message: `"${key}" is of type ${type}, and a text with values in it is a text.` });
    return;
  }
  const compiled = compileExpression(lone.trim(), scope);
  if (!compiled.ok) tell(compiled.fault);
  else if (!fits(compiled.expression.type, type)) {
    tell({ message: `The expression gives "${compiled.expression.type}", and the parameter is of type "${type}".` });
  }
}

function fits(given: string, type: Exclude<Parameter['type'], 'secret'>): boolean {
  const also = { number: ['int'], list: ['list', 'list<dyn>'], string: [], int: [], bool: [] }[type];
  return given === 'dyn' || given === parameterTypes[type] || also.some((one) => one === given);
}

function holesWithin(value: Json): boolean {
  return typeof value === 'object' && hasHoles(JSON.stringify(value));
}
