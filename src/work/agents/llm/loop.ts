/**
 * The conversation: the model answers, what it asks for is done by intents, the results go back to it, until it is done
 * or something ends it. Nothing that it says does anything by itself.
 */
import type { ModelAnswer, ModelMessage, ModelTool, ModelToolCall } from '../../../adapters/models/port.ts';
import { canonicalJson, isAgovError, type JsonObject, sha256Hex } from '../../../kernel/index.ts';
import type { LlmDefinition } from '../../../schemas/index.ts';
import type { Ability } from './abilities.ts';
import { sentencesOf, stopsTheRecord } from './call/fatal.ts';
import { type AnswerShape, answerTool } from './talk/answer.ts';
import { inCircles } from './talk/repeats.ts';
import { isObject, notDone, resultOf, type Told } from './talk/result.ts';
import { cutTo, type Marks } from './talk/words.ts';
import type { Ended, Talk } from './types.ts';

export interface LoopParts {
  readonly definition: LlmDefinition;
  readonly abilities: readonly Ability[];
  readonly shape: AnswerShape | undefined;
  readonly marks: Marks;
  readonly signal: AbortSignal;
  /** One answer of the model, or why there is none. */
  ask(messages: readonly ModelMessage[], tools: readonly ModelTool[]): Promise<ModelAnswer | Ended>;
  /** What is done, as it happens. */
  onCall?(call: ModelToolCall, said: string): void;
}

const mostReminders = 1;
const mostCalls = 32;

export async function converse(parts: LoopParts, talk: Talk): Promise<Ended> {
  const { definition, abilities, shape, signal } = parts;
  const tools = [...abilities, ...(shape ? [shape.tool] : [])].map(({ name, description, input }) => ({
    ...{ name, description, input },
  }));
  for (;;) {
    for (const call of unanswered(talk.messages)) {
      if (signal.aborted) return stopped(signal);
      const ended = await answerCall(parts, talk, call);
      if (ended) return ended;
      if (inCircles(talk.history, definition.limits.repeats)) return inALoop(talk, call);
    }
    if (signal.aborted) return stopped(signal);
    if (talk.steps >= definition.limits.steps) return outOfSteps(definition.limits.steps);
    const answer = await parts.ask(talk.messages, tools);
    if ('end' in answer) return answer;
    talk.steps += 1;
    const { text, calls, carried } = answer;
    talk.messages.push({ role: 'assistant', text, calls, ...(carried === undefined ? {} : { carried }) });
    if (answer.finish === 'refused') return { end: 'refused', reason: 'The model refused to go on.', text };
    if (calls.length > 0) continue;
    const ended = endOf(parts, talk, answer);
    if (ended) return ended;
  }
}

/** The calls of the last answer that have no result yet: a parked conversation goes on at the one that waited. */
function unanswered(messages: readonly ModelMessage[]): readonly ModelToolCall[] {
  const last = messages.findLastIndex(({ role }) => role === 'assistant');
  const message = messages[last];
  if (message?.role !== 'assistant') return [];
  const told = new Set(messages.slice(last + 1).flatMap((one) => (one.role === 'tool' ? [one.call] : [])));
  return message.calls.filter(({ id }) => !told.has(id));
}

/** Undefined where the conversation goes on. */
function endOf({ shape }: LoopParts, talk: Talk, { text, finish }: ModelAnswer): Ended | undefined {
  if (finish === 'length') {
    return { end: 'failed', reason: 'The answer was cut off: it has more tokens than the model may give.', text };
  }
  const checked = shape?.check(text);
  if (checked?.ok) return { end: 'finished', text, output: checked.value };
  if (!checked && text.trim() !== '') return { end: 'finished', text };
  const why = checked ? checked.faults.join(' ') : 'It is empty.';
  if (talk.reminders >= mostReminders) return { end: 'failed', reason: `The answer does not do: ${why}`, text };
  talk.reminders += 1;
  const how = shape ? `Call the tool "${answerTool}" with your answer.` : 'Answer in text.';
  talk.messages.push({ role: 'user', text: `That is not taken for an answer. ${why} ${how}` });
  return undefined;
}

async function answerCall(parts: LoopParts, talk: Talk, call: ModelToolCall): Promise<Ended | undefined> {
  if (call.name === answerTool && parts.shape) return handIn(parts.shape, talk, call);
  const result = await perform(parts, talk, call);
  if ('end' in result) return result;
  parts.onCall?.(call, result.said);
  talk.history.push(sha256Hex(canonicalJson([call.name, call.input, result.circle])));
  tell(talk, call, result.text);
  return undefined;
}

function handIn(shape: AnswerShape, talk: Talk, call: ModelToolCall): Ended | undefined {
  const checked = shape.check(call.input);
  if (checked.ok) return { end: 'finished', text: call.input, output: checked.value };
  const why = checked.faults.join(' ');
  if (talk.reminders >= mostReminders)
    return { end: 'failed', reason: `The answer does not fit its schema: ${why}`, text: call.input };
  talk.reminders += 1;
  tell(talk, call, `Your answer does not fit its schema. ${why} Hand it in once more.`);
  return undefined;
}

async function perform(parts: LoopParts, talk: Talk, call: ModelToolCall): Promise<Told | Ended> {
  const { abilities, signal } = parts;
  const ability = abilities.find(({ name }) => name === call.name);
  if (!ability)
    return notDone(
      `There is no tool "${call.name.slice(0, 100)}". There are: ${abilities.map(({ name }) => name).join(', ') || 'none'}.`,
    );
  if (isOneTooMany(talk, call)) return notDone(`More than ${mostCalls} calls at once: ask again for what is left.`);
  const input = objectIn(call.input);
  if (!input) return notDone('The arguments are no JSON object.');
  try {
    return resultOf(parts, ability.name, await ability.perform(input, signal));
  } catch (error) {
    if (signal.aborted) return stopped(signal);
    if (stopsTheRecord(error)) throw error;
    const why = sentencesOf(error);
    if (isAgovError(error, 'AGENT_NOT_ACTIVE')) return { end: 'stopped', reason: why, text: '' };
    return notDone(parts.marks.quote(call.name, cutTo(why, parts.definition.limits.toolOutput)));
  }
}

function tell(talk: Talk, { id: call, name }: ModelToolCall, text: string): void {
  talk.messages.push({ role: 'tool', call, name, text });
}

function isOneTooMany({ messages }: Talk, call: ModelToolCall): boolean {
  const last = messages.findLast(({ role }) => role === 'assistant');
  return last?.role === 'assistant' && last.calls.indexOf(call) >= mostCalls;
}

function objectIn(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text || '{}');
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // the model is told
  }
}

function inALoop(talk: Talk, { name }: ModelToolCall): Ended {
  const last = talk.messages.findLast(({ role }) => role === 'assistant');
  const reason = `It went in circles: ${name} was called again and again with the same result.`;
  return { end: 'loop', reason, text: last?.role === 'assistant' ? last.text : '' };
}

function outOfSteps(steps: number): Ended {
  return { end: 'steps', reason: `It was not done after ${steps} answers (limits.steps).`, text: '' };
}

export function stopped({ reason }: AbortSignal): Ended {
  const why = reason instanceof Error && reason.name !== 'AbortError' ? reason.message : 'It was stopped.';
  return { end: 'stopped', reason: why, text: '' };
}
