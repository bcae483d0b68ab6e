/**
 * An agent that is a function: a module whose default export runs in the sandbox, with the agent's socket. The task goes
 * to it over the socket, and so does what it returns or throws: two operations that only such a process has.
 */
import { dirname, extname, join } from 'node:path';
import { z } from 'zod';
import type { Sandbox } from '../../../adapters/sandbox/port.ts';
import type { Artifacts } from '../../../governance/evidence/index.ts';
import type { End } from '../../../governance/governor/index.ts';
import { AgovError, canonicalJson, type Json, type JsonObject, sha256Hex } from '../../../kernel/index.ts';
import { jsonSchema } from '../../../schemas/index.ts';
import type { Exec, ExecResult } from '../exec.ts';
import { defineOperation, type Operation } from '../operations/operation.ts';
import { definitionFolder, readBeside } from './place.ts';
import type { AgentResult, Kind } from './types.ts';

export interface FunctionParts {
  readonly exec: Exec;
  readonly artifacts: Artifacts;
  readonly sandbox: Pick<Sandbox, 'library'>;
  /** Of the project. */
  readonly root: string;
}

/** In the form that this file has: source, or part of the bundle. */
const runner = extname(import.meta.url) === '.ts' ? 'function.ts' : 'function.mjs';

type Said = { readonly output: Json } | { readonly error: string };

export function functionKind({ exec, artifacts, sandbox, root }: FunctionParts): Kind {
  return async ({ channel, definition, task, input, begin, signal, timeoutMs, stdout, stderr }) => {
    const { secrets, runs } = definition.value;
    if (runs.function === undefined) throw new AgovError('INTERNAL', { what: 'A definition without function came.' });
    const file = join(dirname(definition.file), runs.function);
    const source = readBeside(root, file);
    const kept = [await artifacts.put('definition', definition.text), await artifacts.put('function', source)];
    const conversation = talk(task, input);
    const acted = await exec({
      ...{ channel, argv: ['node', join(sandbox.library, runner), file], secrets, stdin: 'none', begin, signal },
      // On record with the command, so that it is known what ran.
      env: { AGOV_DEFINITION: sha256Hex(definition.text), AGOV_FUNCTION: sha256Hex(source) },
      // Where the workspace is another folder, the module and what it imports are not in it.
      readOnly: [join(root, definitionFolder), join(root, 'node_modules')],
      operations: conversation.operations,
      async conclude(result, outcome) {
        const said = conversation.said();
        const answer = said && 'output' in said ? [await artifacts.put('output', canonicalJson(said.output))] : [];
        return judged(outcome, result, said, [...kept, ...answer]);
      },
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(stdout ? { stdout } : {}),
      ...(stderr ? { stderr } : {}),
    });
    if (acted.verdict !== 'allow') return acted;
    const { value, outcome } = acted;
    const said = conversation.said();
    const well = outcome.status === 'ok' && said !== undefined && 'output' in said;
    const result: AgentResult = {
      end: well ? 'finished' : value.stopped === undefined ? 'failed' : 'stopped',
      exitCode: well ? 0 : value.code || 1,
      text: well ? textOf(said.output) : '',
      artifacts: outcome.artifacts ?? [],
      ...(outcome.reason === undefined ? {} : { reason: outcome.reason }),
      ...(well ? { output: said.output } : {}),
    };
    return { ...acted, value: result };
  };
}

interface Talk {
  readonly operations: readonly Operation[];
  /** Undefined until it has answered. */
  said(): Said | undefined;
}

function talk(task: string, input: JsonObject | undefined): Talk {
  let said: Said | undefined;
  const operations = [
    defineOperation({
      name: 'task',
      description: 'What this function agent was asked to do.',
      input: z.strictObject({}),
      output: z.strictObject({ task: z.string(), input: jsonSchema }),
      perform: async () => ({ task, input: input ?? {} }),
    }),
    defineOperation({
      name: 'finish',
      description: 'Hand over what came of it: an output, or the error by which it failed. Once.',
      input: z.strictObject({ output: jsonSchema.optional(), error: z.string().optional() }),
      output: z.strictObject({ taken: z.literal(true) }),
      async perform({ output, error }) {
        if (said !== undefined) throw new AgovError('CONFLICT', { what: 'It has answered already.' });
        said = error === undefined ? { output: output ?? null } : { error: error.slice(0, 2000) };
        return { taken: true as const };
      },
    }),
  ];
  return { operations, said: () => said };
}

/** What it says counts as far as its process bears it out: an answer of one that was killed, or failed, is none. */
function judged(
  outcome: End,
  { code, stopped }: ExecResult,
  said: Said | undefined,
  kept: NonNullable<End['artifacts']>,
): End {
  const artifacts = [...(outcome.artifacts ?? []), ...kept];
  if (stopped !== undefined) return { ...outcome, artifacts };
  if (said && 'error' in said) return { ...outcome, status: 'failed', reason: said.error, artifacts };
  if (code === 0 && said === undefined) {
    return { ...outcome, status: 'failed', reason: 'It ended without an answer.', artifacts };
  }
  return { ...outcome, artifacts };
}

function textOf(output: Json): string {
  return typeof output === 'string' ? output : JSON.stringify(output);
}
