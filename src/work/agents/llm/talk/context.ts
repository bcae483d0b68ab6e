/**
 * What of a conversation the model is shown when the whole is too long: old outputs of tools give way first, to their
 * digest and first lines, then the oldest exchanges. The task and what was said last are never touched.
 */
import type { ModelMessage } from '../../../../adapters/models/port.ts';
import { sha256Hex } from '../../../../kernel/index.ts';

/** The last messages, which stay as they are. */
const kept = 6;
const firstLines = 3;
const longestLine = 120;

/** Bytes of UTF-8 by which tokens are estimated until the provider has counted some: few texts have more tokens. */
const cautiousBytes = 3;

export interface Scale {
  /** Tokens that `messages` will be, by what the provider counted so far. */
  tokens(messages: readonly ModelMessage[], extraBytes?: number): number;
  learn(messages: readonly ModelMessage[], extraBytes: number, tokens: number): void;
}

export function createScale(): Scale {
  let bytesEach = cautiousBytes;
  return {
    tokens: (messages, extra = 0) => Math.ceil((sizeOf(messages) + extra) / bytesEach),
    learn(messages, extra, tokens) {
      // A provider that miscounts must not make us send what does not fit.
      if (tokens > 0) bytesEach = Math.min(6, Math.max(1, (sizeOf(messages) + extra) / tokens));
    },
  };
}

function sizeOf(messages: readonly ModelMessage[]): number {
  return messages.reduce((sum, message) => sum + sizes(message), 0);
}

const measured = new WeakMap<ModelMessage, number>();

function sizes(message: ModelMessage): number {
  const known = measured.get(message);
  if (known !== undefined) return known;
  const size = Buffer.byteLength(
    JSON.stringify(message.role === 'assistant' ? { ...message, carried: undefined } : message),
  );
  measured.set(message, size);
  return size;
}

/** What fits into `most` tokens of `all`; undefined where not even the task and the last messages do. */
export function fitting(
  all: readonly ModelMessage[],
  most: number,
  tokens: (messages: readonly ModelMessage[]) => number,
): readonly ModelMessage[] | undefined {
  if (tokens(all) <= most) return all;
  const head = all.findIndex(({ role }) => role === 'assistant');
  if (head < 0) return undefined;
  const tail = beginningOf(all, Math.max(head, all.length - kept));
  const shortened = [...all];
  for (let i = head; i < tail; i++) {
    const message = shortened[i];
    if (message?.role !== 'tool') continue;
    shortened[i] = { ...message, text: digestOf(message.text) };
    if (tokens(shortened) <= most) return shortened;
  }
  for (let from = exchangeAfter(all, head); from <= tail; from = exchangeAfter(all, from)) {
    const left = [...shortened.slice(0, head), ...shortened.slice(from)];
    if (tokens(left) <= most) return left;
    if (from === tail) break;
  }
  return undefined;
}

/** Back to the answer that a result belongs to: providers refuse a result without its call. */
function beginningOf(all: readonly ModelMessage[], at: number): number {
  let begin = at;
  while (begin > 0 && all[begin]?.role === 'tool') begin--;
  return begin;
}

function exchangeAfter(all: readonly ModelMessage[], at: number): number {
  let next = at + 1;
  while (next < all.length && all[next]?.role === 'tool') next++;
  return next;
}

function digestOf(text: string): string {
  const lines = text.split('\n');
  const first = lines.slice(0, firstLines).map((line) => line.slice(0, longestLine));
  const short = `[left out to save room: ${Buffer.byteLength(text)} bytes, sha256 ${sha256Hex(text)}]\n${first.join('\n')}`;
  return short.length < text.length ? short : text;
}
