/**
 * One question to a model, for an agent that is a program: what the model answers is a value of a given shape, or there is
 * none. It has no tools, so that nothing but the answer can come of it.
 */
import type { Model } from '../../../adapters/models/port.ts';
import { redactText } from '../../../governance/redaction/index.ts';
import type { Json, JsonObject } from '../../../kernel/index.ts';
import { type LlmDefinition, llmLimits } from '../../../schemas/index.ts';
import { activeAgent } from '../acting/active.ts';
import type { Seat } from '../operations/operation.ts';
import { mustHavePrices } from './budget.ts';
import { sentencesOf, stopsTheRecord } from './call/fatal.ts';
import { Stopped } from './call/model-call.ts';
import { asking, type TurnParts } from './call/turn.ts';
import { converse, stopped } from './loop.ts';
import { answerShape } from './talk/answer.ts';
import { briefing, marksOf } from './talk/words.ts';
import type { Ended, Talk } from './types.ts';

export interface AskParts extends TurnParts {
  /** @throws NOT_FOUND for a name that agov.yaml has not */
  model(name: string): Promise<Model>;
}

export interface Question {
  /** Of `models` in agov.yaml. */
  readonly model: string;
  readonly prompt: string;
  /** Quoted to it as material. */
  readonly data: JsonObject | undefined;
  /** JSON Schema of an object, which the answer must fit. */
  readonly schema: JsonObject;
}

/** One answer, and once more where it does not fit. */
const steps = 2;

/** How it ended; `output` only where that is `finished`. @throws where the record or agov itself cannot go on */
export async function askModel(parts: AskParts, seat: Seat, question: Question, signal: AbortSignal): Promise<Ended> {
  try {
    return await converseOnce(parts, seat, question, signal);
  } catch (error) {
    if (signal.aborted) return stopped(signal);
    if (error instanceof Stopped) return { end: 'stopped', reason: error.message, text: '' };
    if (stopsTheRecord(error)) throw error;
    return { end: 'failed', reason: sentencesOf(error), text: '' };
  }
}

async function converseOnce(
  parts: AskParts,
  { channel, parent }: Seat,
  { model: name, prompt, data, schema }: Question,
  signal: AbortSignal,
): Promise<Ended> {
  const { tier } = await activeAgent(parts.governor, channel);
  const model = await parts.model(name);
  mustHavePrices(parts.budgets, model, channel);
  const llm: LlmDefinition = {
    ...{ model: name, instructions: instructions(channel.agent), tools: [], approvals: 'tell', output: schema },
    limits: { ...llmLimits, steps },
  };
  const mark = Buffer.from(parts.env.random(8)).toString('hex');
  const about = { agent: channel.agent, tier, instructions: llm.instructions, answers: true };
  const messages = briefing({ ...about, task: redactText(prompt), input: data && withoutSecrets(data) }, marksOf(mark));
  const talk: Talk = { messages, steps: 0, spent: { tokens: 0, moneyMicros: 0 }, history: [], reminders: 0, mark };
  const ask = asking(parts, { channel, parent, llm, model, talk, signal });
  const shape = answerShape(schema);
  return converse({ definition: llm, abilities: [], shape, marks: marksOf(mark), signal, ask }, talk);
}

/** What looks like a secret leaves this machine for nobody's question. */
function withoutSecrets(data: JsonObject): JsonObject {
  const clean = (value: Json | undefined): Json => {
    if (typeof value === 'string') return redactText(value);
    if (Array.isArray(value)) return value.map(clean);
    if (typeof value !== 'object' || value === null) return value ?? null;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [redactText(key), clean(one)]));
  };
  return Object.fromEntries(Object.entries(data).map(([key, one]) => [redactText(key), clean(one)]));
}

function instructions(agent: string): string {
  return `You advise the program that runs as the agent "${agent}". It asks one question, and weighs your answer itself.`;
}
