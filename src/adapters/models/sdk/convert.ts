/** A conversation in the AI SDK's words, and back. */
import type { LanguageModel } from 'ai';
import type { Json, JsonObject } from '../../../kernel/index.ts';
import type { ModelAnswer, ModelMessage, ModelRequest, ModelTool, ModelUsage } from '../port.ts';

export type SdkModel = Extract<LanguageModel, { readonly specificationVersion: 'v4' }>;
export type SdkOptions = Parameters<SdkModel['doStream']>[0];
export type SdkPart =
  Awaited<ReturnType<SdkModel['doStream']>>['stream'] extends ReadableStream<infer Part> ? Part : never;
type SdkMessage = SdkOptions['prompt'][number];
type SdkContent = Extract<SdkMessage, { role: 'assistant' }>['content'];
type Finish = Extract<SdkPart, { type: 'finish' }>;

/** Providers take no dot in a tool's name; no two of ours differ by that alone. */
export function wireName(name: string): string {
  return name.replaceAll('.', '_');
}

export function toSdk({ messages, tools, maxOutputTokens }: ModelRequest): SdkOptions {
  return {
    prompt: messages.map(messageOf),
    maxOutputTokens,
    ...(tools.length > 0 ? { tools: tools.map(toolOf), toolChoice: { type: 'auto' } } : {}),
    // Nothing of a conversation is left with the provider for later: what the next call needs is carried by us.
    providerOptions: { openai: { store: false } },
  };
}

function toolOf({ name, description, input }: ModelTool): NonNullable<SdkOptions['tools']>[number] {
  // A JSON Schema by its maker.
  return { type: 'function', name: wireName(name), description, inputSchema: input as object };
}

function messageOf(message: ModelMessage): SdkMessage {
  switch (message.role) {
    case 'system':
      return { role: 'system', content: message.text };
    case 'user':
      return { role: 'user', content: [{ type: 'text', text: message.text }] };
    case 'tool': {
      const { call: toolCallId, name, text: value } = message;
      const result = { type: 'tool-result', toolCallId, toolName: wireName(name), output: { type: 'text', value } };
      return { role: 'tool', content: [result as never] }; // the literal types are lost in the object
    }
    case 'assistant':
      return { role: 'assistant', content: contentOf(message) };
  }
}

function contentOf({ text, calls, carried }: Extract<ModelMessage, { role: 'assistant' }>): SdkContent {
  if (carried !== undefined) return carried as unknown as SdkContent; // what `gather` made, and nobody touched
  const said = text === '' ? [] : [{ type: 'text' as const, text }];
  const asked = calls.map(({ id, name, input }) => ({
    ...{ type: 'tool-call' as const, toolCallId: id, toolName: wireName(name) },
    input: inputOf(input),
  }));
  return [...said, ...asked];
}

/** Providers refuse a conversation with arguments that are no object, also where the model itself wrote them. */
function inputOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text || '{}');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : { malformed: text };
  } catch {
    return { malformed: text };
  }
}

export interface Gathering {
  add(part: SdkPart): void;
  /** Undefined while the stream has told no end. */
  answer(): ModelAnswer | undefined;
}

/** Puts the parts of a stream together. */
export function gather(tools: readonly ModelTool[], onText: ((piece: string) => void) | undefined): Gathering {
  const names = new Map(tools.map(({ name }) => [wireName(name), name]));
  const content: JsonObject[] = [];
  const open = new Map<string, { index: number; text: string }>();
  const calls: ModelAnswer['calls'][number][] = [];
  let text = '';
  let finish: Finish | undefined;

  const begin = (id: string, type: 'text' | 'reasoning', part: SdkPart): void => {
    open.set(`${type}:${id}`, { index: content.length, text: '' });
    content.push({ type, text: '', ...metadata(part) });
  };
  const grow = (id: string, type: 'text' | 'reasoning', delta: string, part: SdkPart): void => {
    const one = open.get(`${type}:${id}`);
    if (!one) return;
    one.text += delta;
    content[one.index] = { ...content[one.index], text: one.text, ...metadata(part) };
  };

  return {
    add(part) {
      if (part.type === 'text-start') begin(part.id, 'text', part);
      else if (part.type === 'reasoning-start') begin(part.id, 'reasoning', part);
      else if (part.type === 'text-delta') {
        grow(part.id, 'text', part.delta, part);
        text += part.delta;
        onText?.(part.delta);
      } else if (part.type === 'reasoning-delta') grow(part.id, 'reasoning', part.delta, part);
      else if (part.type === 'text-end') grow(part.id, 'text', '', part);
      else if (part.type === 'reasoning-end') grow(part.id, 'reasoning', '', part);
      else if (part.type === 'tool-call') {
        calls.push({ id: part.toolCallId, name: names.get(part.toolName) ?? part.toolName, input: part.input });
        content.push({
          ...{ type: 'tool-call', toolCallId: part.toolCallId, toolName: part.toolName },
          input: inputOf(part.input) as Json,
          ...metadata(part),
        });
      } else if (part.type === 'finish') finish = part;
    },
    answer() {
      if (!finish) return undefined;
      const kept = content.filter((part) => part['type'] !== 'text' || part['text'] !== '');
      return { text, calls, usage: usageOf(finish), finish: finishOf(finish, calls.length), carried: kept };
    },
  };
}

/** Signatures and ids by which a provider knows its own words again. */
function metadata(part: SdkPart): { providerOptions?: Json } {
  const told = 'providerMetadata' in part ? part.providerMetadata : undefined;
  return told === undefined ? {} : { providerOptions: told as Json };
}

function usageOf({ usage }: Finish): ModelUsage | undefined {
  const { total: input } = usage.inputTokens;
  const { total: output } = usage.outputTokens;
  const counts = [input, output].every((count) => Number.isSafeInteger(count) && Number(count) >= 0);
  return counts ? { input: Number(input), output: Number(output) } : undefined;
}

function finishOf({ finishReason: { unified, raw } }: Finish, calls: number): ModelAnswer['finish'] {
  if (unified === 'content-filter' || raw === 'refusal') return 'refused';
  if (unified === 'length') return 'length';
  return calls > 0 ? 'calls' : 'stop';
}
