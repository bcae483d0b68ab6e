/** A definition read and understood, or all its faults with their places. */
import { basename, dirname, join, relative } from 'node:path';
import type { Tool } from '../../../adapters/tools/port.ts';
import { AgovError, isAgovError, messageOf } from '../../../kernel/index.ts';
import {
  type AgentDefinition,
  agentSchema,
  type Fault,
  faultsError,
  issuesOf,
  nearest,
  readYaml,
  type YamlPath,
} from '../../../schemas/index.ts';
import { answerShape, operationNames } from '../llm/index.ts';
import { meansShipped, shippedAgents, shippedAs } from '../shipped/index.ts';
import { definitionFile, readBeside } from './place.ts';
import type { Definition } from './types.ts';

export interface KnownToAgents {
  readonly root: string;
  /** Names in `models` of agov.yaml. */
  readonly models: ReadonlySet<string>;
  readonly tools: ReadonlyMap<string, Tool>;
}

export type DefinitionResult =
  | { readonly ok: true; readonly definition: Definition }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** @param file absolute */
export function checkDefinition(text: string, file: string, known: KnownToAgents): DefinitionResult {
  const shown = relative(known.root, file);
  const result = readYaml(agentSchema, text, shown);
  if (!result.ok) return result;
  const { value } = result;
  const faults: Fault[] = [];
  const report: Report = (path, message, hint) => void faults.push(result.fault(path, message, hint));
  if (`${value.name}.yaml` !== basename(file)) {
    report(['name'], `The agent "${value.name}" is defined in ${value.name}.yaml, and this is ${basename(file)}.`);
  }
  const instructions = checkLlm(value, file, known, report);
  checkFunction(value, file, known, report);
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, definition: { value, text, file, ...(instructions === undefined ? {} : { instructions }) } };
}

/** The definition of a registered agent. @throws NOT_FOUND where it has none, AGENT_INVALID with every fault */
export function mustDefine(name: string, known: KnownToAgents): Definition {
  const file = definitionFile(known.root, name);
  const result = checkDefinition(textOf(name, file, known.root), file, known);
  if (result.ok) return result.definition;
  const shown = relative(known.root, file);
  throw faultsError('AGENT_INVALID', shown, result.faults, `Correct what "agov agent check ${shown}" tells.`);
}

function textOf(name: string, file: string, root: string): string {
  try {
    return readBeside(root, file);
  } catch (error) {
    if (!isAgovError(error, 'NOT_FOUND')) throw error;
    throw new AgovError('NOT_FOUND', {
      what: `The agent "${name}" has no definition: there is no ${relative(root, file)}.`,
      fix: `Write one: agov agent define ${name} --kind llm`,
      cause: error,
    });
  }
}

type Report = (path: YamlPath, message: string, suggestion?: string) => void;

/** The text of its instructions, where that is a file's. */
function checkLlm(
  { runs: { llm } }: AgentDefinition,
  file: string,
  { root, models, tools }: KnownToAgents,
  report: Report,
): string | undefined {
  if (!llm) return undefined;
  const at = ['runs', 'llm'];
  if (!models.has(llm.model)) {
    const message = `There is no model "${llm.model}" under "models" in agov.yaml.`;
    report([...at, 'model'], message, nearest(llm.model, models));
  }
  const names = toolNames(tools);
  for (const [i, name] of llm.tools.entries()) {
    if (!names.has(name)) report([...at, 'tools', i], `There is no tool "${name}".`, nearest(name, names));
  }
  if (llm.output !== undefined) checkOutput(llm.output, [...at, 'output'], report);
  if (!llm.instructions.startsWith('./')) return undefined;
  return readable(root, join(dirname(file), llm.instructions.trim()), [...at, 'instructions'], report);
}

function checkFunction(
  { runs: { function: reference }, tier, model, parameters }: AgentDefinition,
  file: string,
  { root, models }: KnownToAgents,
  report: Report,
): void {
  if (reference === undefined) return;
  if (model !== undefined && !models.has(model)) {
    report(['model'], `There is no model "${model}" under "models" in agov.yaml.`, nearest(model, models));
  }
  const at = ['runs', 'function'];
  if (!meansShipped(reference)) {
    readable(root, join(dirname(file), reference), at, report);
    return;
  }
  const shipped = shippedAs(reference);
  if (!shipped) {
    const names = shippedAgents.map(({ name }) => `agov:${name}`);
    report(at, `No agent "${reference}" comes with agov; there are ${names.join(', ')}.`, nearest(reference, names));
    return;
  }
  if (shipped.tier !== tier) report(['tier'], `${reference} is written for ${shipped.tier}, and this is for ${tier}.`);
  const parsed = shipped.input.partial().safeParse(parameters ?? {});
  for (const { path, message } of parsed.success ? [] : issuesOf(shipped.input, parameters, parsed.error.issues)) {
    report(['parameters', ...path], message);
  }
}

/** Names and groups, as `tools` of a model takes them. */
function toolNames(tools: ReadonlyMap<string, Tool>): ReadonlySet<string> {
  const all = [...tools.keys(), ...operationNames.filter((name) => name !== 'act' && name !== 'tools')];
  return new Set(all.flatMap((name) => [name, name.split('.')[0] ?? name]));
}

function checkOutput(
  schema: NonNullable<AgentDefinition['runs']['llm']>['output'],
  at: YamlPath,
  report: Report,
): void {
  if (schema?.['type'] !== 'object') {
    report(at, 'The answer must be an object: write "type: object", and what it holds under "properties".');
    return;
  }
  try {
    answerShape(schema);
  } catch (error) {
    report(at, `This is no JSON Schema that can be checked: ${messageOf(error)}.`);
  }
}

function readable(root: string, path: string, at: YamlPath, report: Report): string | undefined {
  try {
    return readBeside(root, path);
  } catch (error) {
    if (!isAgovError(error)) throw error;
    report(at, [error.what, error.why].filter(Boolean).join(' '));
    return undefined;
  }
}
