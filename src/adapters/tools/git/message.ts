/** Commit messages: the agent's words, and a trailer that only agov writes. */
import { z } from 'zod';

const trailerName = 'Agov-Agent';
const maxBytes = 8192;

export const messageSchema = z
  .string()
  .trim()
  .min(1)
  .refine((text) => Buffer.byteLength(text) <= maxBytes, `must be at most ${maxBytes} bytes`)
  .refine((text) => text.isWellFormed() && !text.includes('\0'), 'must be well-formed text without NUL')
  .refine((text) => !/^\s*agov-agent\s*:/im.test(text), `must not hold a line "${trailerName}:", which agov adds`);

/** A paragraph of trailers at the end is added to, so that git takes them together. */
export function withTrailer(message: string, agent: string): string {
  const last = message.split(/\n[ \t]*\n/).at(-1) ?? '';
  const isTrailers = last !== message && last.split('\n').every((line) => /^[A-Za-z0-9-]+: \S/.test(line));
  return `${message}${isTrailers ? '\n' : '\n\n'}${trailerName}: ${agent}\n`;
}
