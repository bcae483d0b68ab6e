/** Every expression of a pipeline, type-checked where it stands. */
import type { Json } from '../../../../kernel/index.ts';
import type { Call, Pipeline, Stage, YamlPath } from '../../../../schemas/index.ts';
import {
  compileExpression,
  compileTemplate,
  type ExpressionFault,
  hasHoles,
  type Scope,
} from '../../expressions/index.ts';
import { celName, commandScope, outputScope, stageScope, undoScope } from '../scope/scope.ts';
import { loneParameter } from '../scope/values.ts';
import { callAround, callOf, localName, membersOf, stageOf } from '../stages.ts';
import type { Report } from './report.ts';

export function checkExpressions(pipeline: Pipeline, name: string, at: YamlPath, report: Report): void {
  const stage = stageOf(pipeline, name);
  const tell = teller(pipeline, name, at, report);
  const before = stageScope(pipeline, name);
  const expect = (key: 'when' | 'foreach', type: 'bool' | 'list'): void => {
    const source = stage[key];
    const compiled = source === undefined ? undefined : compileExpression(source, before, type);
    if (compiled && !compiled.ok) tell([key], compiled.fault);
  };
  expect('when', 'bool');
  expect('foreach', 'list');
  const { parameters } = callOf(pipeline, callAround(name)) ?? pipeline;
  checkCommand(parameters, stage, [], commandScope(pipeline, name), tell);
  if (stage.compensate) checkCommand(parameters, stage.compensate, ['compensate'], undoScope(pipeline, name), tell);
  for (const [output, declared] of Object.entries(stage.outputs)) {
    const [source, path] = typeof declared === 'string' ? [declared, []] : [declared.value, ['value']];
    const compiled = compileExpression(source, outputScope(pipeline, name));
    if (!compiled.ok) tell(['outputs', output, ...path], compiled.fault);
  }
}

export type Tell = (path: YamlPath, fault: ExpressionFault) => void;

/** Reports faults of expressions below `at`; without a `name` they belong to the pipeline as a whole. */
export function teller(pipeline: Pipeline, name: string, at: YamlPath, report: Report): Tell {
  return (path, fault) => report([...at, ...path], ...explained(pipeline, name, fault));
}

/** Why a name that the pipeline has is not there for this stage. */
export function explained(
  pipeline: Pipeline,
  name: string,
  { message, suggestion, unknown }: ExpressionFault,
): [string, string?] {
  const around = callAround(name);
  const { parameters } = callOf(pipeline, around) ?? pipeline;
  if (name === '' && unknown !== undefined && ['stages', 'run', 'each', 'matrix'].includes(unknown)) {
    return ['Only "params" can be read here: nothing of the run is there yet.'];
  }
  if (unknown === 'event') return ['Only a stage whose own gate waits for an event can read "event".'];
  const stage = membersOf(pipeline, around).find((other) => celName(other) === unknown);
  if (stage === name) return ['A stage cannot read its own outputs before it has run.'];
  if (stage !== undefined)
    return [`Stage "${localName(stage)}" is not among what this stage needs: add it to "needs".`];
  if (unknown !== undefined && parameters[unknown]?.type === 'secret') {
    return [`The parameter "${unknown}" is a secret: it goes into "secrets" and nowhere else.`];
  }
  if (around !== '' && unknown !== undefined && isOutside(pipeline, unknown)) {
    return [`A template sees nothing of who uses it: hand "${unknown}" over under "with".`];
  }
  return suggestion === undefined ? [message] : [message, suggestion];
}

/** Whether the name is one of the pipeline’s own, which a template cannot read. */
function isOutside(pipeline: Pipeline, name: string): boolean {
  return Object.hasOwn(pipeline.parameters, name) || membersOf(pipeline, '').some((other) => celName(other) === name);
}

type Command = Pick<Stage, 'run' | 'task' | 'env' | 'with' | 'secrets'>;

function checkCommand(parameters: Parameters, command: Command, at: YamlPath, scope: Scope, tell: Tell): void {
  const { run, env, secrets } = command;
  // What is filled into the text of a shell would be read as its code: a value must come by variable or argument.
  if (typeof run === 'string' && hasHoles(run)) {
    const message = 'A value that is filled into a shell’s text could become code.';
    const fix = 'Put it under "env" and read the variable, or write "run" as a list.';
    tell([...at, 'run'], { message: `${message} ${fix}` });
  }
  for (const [i, text] of typeof run === 'object' ? run.entries() : []) {
    if (i > 0) checkText(text, [...at, 'run', i], scope, tell);
    else if (hasHoles(text)) {
      tell([...at, 'run', 0], { message: 'The program itself must be written out: it is what is judged.' });
    }
  }
  if (command.task !== undefined) checkText(command.task, [...at, 'task'], scope, tell);
  for (const [variable, text] of Object.entries(env)) checkText(text, [...at, 'env', variable], scope, tell);
  checkDeep((command.with ?? {}) as Json, [...at, 'with'], scope, tell);
  for (const [variable, path] of Object.entries(secrets)) {
    const fault = hasHoles(path) ? secretFault(parameters, path) : undefined;
    if (fault) tell([...at, 'secrets', variable], fault);
  }
}

export function checkText(text: string, path: YamlPath, scope: Scope, tell: Tell): void {
  if (!hasHoles(text)) return;
  const compiled = compileTemplate(text, scope);
  if (!('evaluate' in compiled)) for (const fault of compiled) tell(path, fault);
}

function checkDeep(value: Json, path: YamlPath, scope: Scope, tell: Tell): void {
  if (typeof value === 'string') checkText(value, path, scope, tell);
  else if (Array.isArray(value)) for (const [i, item] of value.entries()) checkDeep(item, [...path, i], scope, tell);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) checkDeep(member as Json, [...path, key], scope, tell);
  }
}

type Parameters = Pipeline['parameters'] | Call['parameters'];

function secretFault(parameters: Parameters, text: string): ExpressionFault | undefined {
  const name = loneParameter(text);
  if (name === undefined) return { message: 'Here stands a path, or "${{ params.NAME }}" alone.' };
  const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
  if (!parameter) return { message: `There is no parameter "${name}".` };
  return parameter.type === 'secret' ? undefined : { message: `The parameter "${name}" must be of type "secret".` };
}
