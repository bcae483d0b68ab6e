/**
 * What the socket of a function agent answers besides what every agent's does: its task, advice of the model that its
 * definition names, keeping what it has made, and handing over what came of it.
 */
import { z } from 'zod';
import type { Artifacts } from '../../../../governance/evidence/index.ts';
import { AgovError, type Json, type JsonObject } from '../../../../kernel/index.ts';
import { type ArtifactRef, jsonObjectSchema, jsonSchema } from '../../../../schemas/index.ts';
import { type AskParts, answerShape, askModel } from '../../llm/index.ts';
import { defineOperation, type Operation, type Seat } from '../../operations/operation.ts';

export interface Waits {
  readonly approval: string;
  readonly intent: string;
}

export type Said =
  | { readonly output: Json }
  | { readonly error: string; readonly output?: Json }
  | { readonly waits: Waits };

export interface Talk {
  operations(seat: Seat): readonly Operation[];
  /** Undefined until it has answered. */
  said(): Said | undefined;
  kept(): readonly ArtifactRef[];
}

export interface TalkParts {
  readonly artifacts: Artifacts;
  readonly asking: AskParts;
}

const mostKept = 16;
const mostAsked = 100;

/** @param model the one that it may ask; none where its definition names none */
export function talk(parts: TalkParts, task: string, input: JsonObject, model: string | undefined): Talk {
  let said: Said | undefined;
  let asked = 0;
  const kept: ArtifactRef[] = [];
  const own = [
    defineOperation({
      name: 'task',
      description: 'What this function agent was asked to do.',
      input: z.strictObject({}),
      output: z.strictObject({
        task: z.string(),
        input: jsonSchema,
        model: z.boolean().describe('Whether it may ask a model.'),
      }),
      perform: async () => ({ task, input, model: model !== undefined }),
    }),
    defineOperation({
      name: 'keep',
      redacts: true,
      description: 'Keep a text as an artifact of this run, by its digest.',
      input: z.strictObject({ name: z.string().regex(/^[A-Za-z0-9][\w.-]{0,99}$/), content: z.string() }),
      output: z.strictObject({ sha256: z.string() }),
      async perform({ name, content }) {
        if (kept.length >= mostKept)
          throw new AgovError('CONFLICT', { what: `It has kept ${mostKept} texts already.` });
        const artifact = await parts.artifacts.put(name, content);
        kept.push(artifact);
        return { sha256: artifact.sha256 };
      },
    }),
    defineOperation({
      name: 'finish',
      redacts: true,
      description:
        'Hand over what came of it, once: an output, the error by which it failed, or the approval that it waits for.',
      input: z.strictObject({
        output: jsonSchema.optional(),
        error: z.string().optional(),
        waits: z.strictObject({ approval: z.string().max(64), intent: z.string().max(64) }).optional(),
      }),
      output: z.strictObject({ taken: z.literal(true) }),
      async perform({ output, error, waits }) {
        if (said !== undefined) throw new AgovError('CONFLICT', { what: 'It has answered already.' });
        if (waits) said = { waits };
        else if (error === undefined) said = { output: output ?? null };
        else said = { error: error.slice(0, 2000), ...(output === undefined ? {} : { output }) };
        return { taken: true as const };
      },
    }),
  ];
  const advice = (seat: Seat): Operation =>
    defineOperation({
      name: 'ask',
      redacts: true,
      description: 'Ask the model for a value of a given shape. It has no tools; what it says is advice.',
      input: z.strictObject({
        prompt: z.string().min(1).max(65_536),
        data: jsonObjectSchema.optional().describe('What it is about: shown to the model as material.'),
        schema: jsonObjectSchema.describe('JSON Schema of an object that the answer must fit.'),
      }),
      output: z.strictObject({
        end: z.string().describe('`finished`, or why there is no answer: failed, refused, budget, parked, stopped.'),
        output: jsonSchema.optional(),
        reason: z.string().optional(),
      }),
      async perform({ prompt, data, schema }, signal) {
        if (model === undefined) {
          const fix = 'Name one as "model" in the agent’s definition.';
          throw new AgovError('NOT_FOUND', { what: 'This agent has no model to ask.', fix });
        }
        mustBeShape(schema);
        asked += 1;
        if (asked > mostAsked) throw new AgovError('TOO_MANY_REQUESTS', { what: `It has asked ${mostAsked} times.` });
        const ended = await askModel(parts.asking, seat, { model, prompt, data, schema }, signal);
        const { end, output, reason } = ended;
        return { end, ...(output === undefined ? {} : { output }), ...(reason === undefined ? {} : { reason }) };
      },
    });
  return { operations: (seat) => [...own, advice(seat)], said: () => said, kept: () => kept };
}

function mustBeShape(schema: JsonObject): void {
  try {
    answerShape(schema);
  } catch (cause) {
    throw new AgovError('INPUT_INVALID', { what: '"schema" is no JSON Schema that can be checked.', cause });
  }
}
