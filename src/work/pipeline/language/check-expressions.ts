/** Every expression of a pipeline, type-checked where it stands. */
import type { Json } from '../../../kernel/index.ts';
import type { Pipeline, Stage, YamlPath } from '../../../schemas/index.ts';
import {
  compileExpression,
  compileTemplate,
  type ExpressionFault,
  hasHoles,
  type Scope,
} from '../expressions/index.ts';
import { celName, commandScope, outputScope, stageScope, undoScope } from './scope.ts';
import { stageOf } from './stages.ts';

export type Report = (path: YamlPath, message: string, suggestion?: string) => void;

export function checkExpressions(pipeline: Pipeline, name: string, at: YamlPath, report: Report): void {
  const stage = stageOf(pipeline, name);
  const tell: Tell = (path, fault) => report([...at, ...path], ...explained(pipeline, name, fault));
  const before = stageScope(pipeline, name);
  const expect = (key: 'when' | 'foreach', type: 'bool' | 'list'): void => {
    const source = stage[key];
    const compiled = source === undefined ? undefined : compileExpression(source, before, type);
    if (compiled && !compiled.ok) tell([key], compiled.fault);
  };
  expect('when', 'bool');
  expect('foreach', 'list');
  checkCommand(pipeline, stage, [], commandScope(pipeline, name), tell);
  if (stage.compensate) checkCommand(pipeline, stage.compensate, ['compensate'], undoScope(pipeline, name), tell);
  for (const [output, declared] of Object.entries(stage.outputs)) {
    const [source, path] = typeof declared === 'string' ? [declared, []] : [declared.value, ['value']];
    const compiled = compileExpression(source, outputScope(pipeline, name));
    if (!compiled.ok) tell(['outputs', output, ...path], compiled.fault);
  }
}

/** Why a name that the pipeline has is not there for this stage. */
function explained(
  pipeline: Pipeline,
  name: string,
  { message, suggestion, unknown }: ExpressionFault,
): [string, string?] {
  const stage = Object.keys(pipeline.stages).find((other) => celName(other) === unknown);
  if (stage === name) return ['A stage cannot read its own outputs before it has run.'];
  if (stage !== undefined) return [`Stage "${stage}" is not among what this stage needs: add it to "needs".`];
  if (unknown !== undefined && pipeline.parameters[unknown]?.type === 'secret') {
    return [`The parameter "${unknown}" is a secret: it goes into "secrets" and nowhere else.`];
  }
  return suggestion === undefined ? [message] : [message, suggestion];
}

type Tell = (path: YamlPath, fault: ExpressionFault) => void;

type Command = Pick<Stage, 'run' | 'env' | 'with' | 'secrets'>;

function checkCommand(pipeline: Pipeline, command: Command, at: YamlPath, scope: Scope, tell: Tell): void {
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
  for (const [variable, text] of Object.entries(env)) checkText(text, [...at, 'env', variable], scope, tell);
  checkDeep((command.with ?? {}) as Json, [...at, 'with'], scope, tell);
  for (const [variable, path] of Object.entries(secrets)) {
    const fault = hasHoles(path) ? secretFault(pipeline, path) : undefined;
    if (fault) tell([...at, 'secrets', variable], fault);
  }
}

function checkText(text: string, path: YamlPath, scope: Scope, tell: Tell): void {
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

const secretParameter = /^\$\{\{\s*params\.([a-z][a-z0-9_]*)\s*\}\}$/;

/** The parameter that `secrets` names, where it names one. */
export function secretParameterOf(text: string): string | undefined {
  return secretParameter.exec(text)?.[1];
}

function secretFault({ parameters }: Pipeline, text: string): ExpressionFault | undefined {
  const name = secretParameterOf(text);
  if (name === undefined) return { message: 'Here stands a path, or "${{ params.NAME }}" alone.' };
  const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
  if (!parameter) return { message: `There is no parameter "${name}".` };
  return parameter.type === 'secret' ? undefined : { message: `The parameter "${name}" must be of type "secret".` };
}
