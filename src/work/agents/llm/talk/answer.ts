/** The answer that a definition demands: the model hands it in as a tool call, which every provider can, or as JSON text. */
import { createContext, Script } from 'node:vm';
import { z } from 'zod';
import type { ModelTool } from '../../../../adapters/models/port.ts';
import type { Json, JsonObject } from '../../../../kernel/index.ts';
import { issuesOf } from '../../../../schemas/index.ts';

export const answerTool = 'answer';
const mostFaults = 10;
const mostMs = 1000;

export interface AnswerShape {
  readonly tool: ModelTool;
  /** The value where it fits, or sentences on what does not. */
  check(text: string): { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly faults: string[] };
}

/**
 * An agent may write the schema, and have the model write the value: together they could keep this process, and with it
 * whoever would stop the agent, from ever coming to an end. So both are given a time.
 * @throws where `schema` is no JSON Schema that we read
 */
export function answerShape(schema: JsonObject): AnswerShape {
  const shape = inTime(() => z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]));
  const description = 'Hand in your answer, once, when you are done. Nothing is done after it.';
  return {
    tool: { name: answerTool, description, input: schema },
    check(text) {
      try {
        return inTime(() => checked(shape, text));
      } catch (error) {
        if (!isLate(error)) throw error;
        return { ok: false, faults: [`It could not be checked in ${mostMs} ms.`] };
      }
    },
  };
}

function checked(shape: z.ZodType, text: string): ReturnType<AnswerShape['check']> {
  const value = jsonIn(text);
  if (value === undefined) return { ok: false, faults: ['It is not JSON.'] };
  const parsed = shape.safeParse(value);
  // The value as it was given: what a schema would add or take away is not the model's answer.
  if (parsed.success) return { ok: true, value };
  const issues = issuesOf(shape, value, parsed.error.issues).slice(0, mostFaults);
  return { ok: false, faults: issues.map(({ message }) => message) };
}

const calling = new Script('work()');

/** V8 stops whatever runs below the script when the time is over, regular expressions too. */
function inTime<T>(work: () => T): T {
  return calling.runInContext(createContext({ work }), { timeout: mostMs });
}

/** Made in the script's own realm, whose errors are no instances of ours. */
function isLate(error: unknown): boolean {
  return Object(error).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}

/** Models like to fence what they hand in. */
function jsonIn(text: string): Json | undefined {
  const [, fenced] = /^\s*```(?:json)?\s*\n([\s\S]*?)\n\s*```\s*$/.exec(text) ?? [];
  try {
    return JSON.parse(fenced ?? text) as Json;
  } catch {
    return undefined; // told as a fault
  }
}
