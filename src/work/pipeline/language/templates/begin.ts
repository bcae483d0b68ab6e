/** The text of a pipeline that uses a template, for an engineer to begin with: every parameter, with what it means. */
import { posix } from 'node:path';
import type { Json, JsonObject } from '../../../../kernel/index.ts';
import {
  type Parameter,
  type PipelineFile,
  readYamlDocuments,
  type Template,
  templateSchema,
} from '../../../../schemas/index.ts';
import { loneParameter } from '../scope/values.ts';

/** The templates of a text that can be read; what is wrong with the others `validate` tells. */
export function templatesIn(text: string, file: string): readonly Template[] {
  return readYamlDocuments(templateSchema, text, file).flatMap((one) => (one.ok ? [one.value] : []));
}

export interface Beginning {
  /** As the stage is to write it. */
  readonly uses: string;
  readonly name: string;
  /** Of the parameters, those that are known. */
  readonly given: JsonObject;
  /** Registered agents: the one that a parameter is named after, or else the first, stands where an agent is asked for. */
  readonly agents: readonly string[];
  /** Where editors find the schema, from the file. */
  readonly schema: string | undefined;
}

/** What nobody has given, and what has no default, is left open and marked. */
export function pipelineUsing(template: Template, { uses, name, given, agents, schema }: Beginning): string {
  const acting = agentParameters(template);
  const parameters = Object.entries(template.parameters).flatMap(([key, parameter]) => {
    const agent = acting.has(key) ? (agents.find((one) => one === key) ?? agents[0]) : undefined;
    const value = given[key] ?? parameter.default ?? agent;
    const open = value === undefined ? ' To be filled in.' : '';
    return [
      `      # ${explained(key, parameter)}${open}`,
      `      ${key}:${value === undefined ? '' : ` ${written(value)}`}`,
    ];
  });
  return [
    ...(schema === undefined ? [] : [`# yaml-language-server: $schema=${schema}`]),
    'apiVersion: agov/v1',
    'kind: Pipeline',
    `name: ${name}`,
    ...(template.description === undefined ? [] : [`description: ${written(template.description)}`]),
    'stages:',
    `  ${template.name}:`,
    `    uses: ${written(uses)}`,
    ...(parameters.length === 0 ? [] : ['    with:', ...parameters]),
    '',
  ].join('\n');
}

/** `uses` for a file of templates, from the folder of the file that is to use it; both by their paths in the project. */
export function usesOf(template: string, name: string, file: string): string {
  const path = posix.relative(posix.dirname(file), template);
  return `${path.startsWith('.') ? path : `./${path}`}#${name}`;
}

/** Those that name who acts. */
function agentParameters({ stages }: Template): ReadonlySet<string> {
  const named = Object.values(stages as PipelineFile['stages']).map(({ agent }) => loneParameter(agent ?? ''));
  return new Set(named.filter((one) => one !== undefined));
}

function explained(key: string, { description, type, choices }: Parameter): string {
  const kind = type === 'string' ? '' : ` (${type})`;
  const among = choices ? ` One of ${choices.join(', ')}.` : '';
  return `${(description ?? key).replaceAll(/\s+/g, ' ')}${kind}${among}`;
}

/** On one line. JSON is YAML; what nobody could read as anything else stands bare. */
function written(value: Json): string {
  if (
    typeof value === 'string' &&
    /^(?:\.{1,2}\/)?[a-zA-Z][\w./-]*(?:[#:][\w./-]+)?$/.test(value) &&
    !reserved.test(value)
  )
    return value;
  return JSON.stringify(value);
}

const reserved = /^(?:true|false|null|yes|no|on|off|y|n)$/i;
