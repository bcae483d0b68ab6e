/** What a model may ask for: wrapped tools under their own names, commands, and whatever else an agent's socket offers. */
import { z } from 'zod';
import type { ModelTool } from '../../../adapters/models/port.ts';
import type { Tool } from '../../../adapters/tools/port.ts';
import { AgovError, type Json, type JsonObject } from '../../../kernel/index.ts';
import type { Operation } from '../operations/index.ts';

export interface Ability extends ModelTool {
  perform(input: JsonObject, signal: AbortSignal): Promise<Json>;
}

export interface Workbench {
  readonly operations: ReadonlyMap<string, Operation>;
  readonly tools: ReadonlyMap<string, Tool>;
  /** Variable to path, for every command. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** What every asker's table has; a definition is checked before there is one. */
export const operationNames: readonly string[] = [
  ...['whoami', 'tools', 'explain', 'act', 'exec', 'wait'],
  ...['lock', 'renew', 'unlock', 'locks', 'board.get', 'board.set', 'board.remove', 'board.list', 'runs'],
  ...['spawn', 'children', 'await', 'stop', 'message.send', 'message.inbox'],
  ...['memory.log', 'memory.fetch', 'memory.list', 'memory.search'],
  ...['checkpoint.now', 'checkpoint.load', 'checkpoint.report'],
  ...['status.update', 'status.sweep', 'status.dashboard'],
];

/** Given as themselves, or by the tools' own names. */
const notByName = ['act', 'tools'];

/** @throws AGENT_INVALID for a name that nothing has */
export function abilitiesOf(wanted: readonly string[], bench: Workbench): readonly Ability[] {
  const found = new Map<string, Ability>();
  for (const name of wanted) {
    const some = named(name, bench);
    if (some.length === 0) {
      throw new AgovError('AGENT_INVALID', {
        what: `There is no tool "${name}".`,
        fix: `There are ${[...bench.tools.keys(), ...bench.operations.keys()].join(', ')}.`,
      });
    }
    for (const one of some) found.set(one.name, one);
  }
  return [...found.values()];
}

function named(wanted: string, { operations, tools, secrets }: Workbench): Ability[] {
  const fits = (name: string): boolean => name === wanted || name.startsWith(`${wanted}.`);
  const act = operations.get('act');
  const wrapped = [...tools.values()].flatMap((tool) => (act && fits(tool.name) ? [byTool(tool, act)] : []));
  const others = [...operations.values()].filter(({ name }) => fits(name) && !notByName.includes(name));
  return [...wrapped, ...others.map((one) => (one.name === 'exec' ? command(one, secrets) : plain(one)))];
}

function byTool({ name, summary, args: shape }: Tool, act: Operation): Ability {
  const perform: Ability['perform'] = (args, signal) => act.perform({ tool: name, args }, { signal });
  return { name, description: summary, input: jsonSchemaOf(shape), perform };
}

function plain({ name, description, input, perform }: Operation): Ability {
  return { name, description, input: jsonSchemaOf(input), perform: (given, signal) => perform(given, { signal }) };
}

/** Which secrets a command gets says the definition, never the model. */
function command(exec: Operation, secrets: Workbench['secrets']): Ability {
  const shape = exec.input.omit({ secrets: true });
  const perform: Ability['perform'] = ({ secrets: _asked, ...given }, signal) =>
    exec.perform({ ...given, secrets: { ...secrets } }, { signal });
  return { name: exec.name, description: exec.description, input: jsonSchemaOf(shape), perform };
}

function jsonSchemaOf(shape: z.ZodType): JsonObject {
  const { $schema: _, ...schema } = z.toJSONSchema(shape, { io: 'input', unrepresentable: 'any' });
  return schema as JsonObject; // a JSON Schema is JSON
}
