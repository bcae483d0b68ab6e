/** What the sections accept: names, spans and values of bounded size, so that no caller can fill the store by one call. */
import { AgovError, canonicalJson, type Json, messageOf } from '../../kernel/index.ts';

const maxNameLength = 512;
const maxValueBytes = 65_536;
const maxTtlMs = 365 * 86_400_000;

/** `text`, if it has 1 to 512 characters, none of them a control character or half a surrogate pair. */
export function boundedName(subject: string, text: string): string {
  if (text.length > 0) return boundedPrefix(subject, text);
  throw invalid(`The ${subject} is empty.`, `Give 1 to ${maxNameLength} characters.`);
}

/** As a name, and may be empty. */
export function boundedPrefix(subject: string, text: string): string {
  if (text.length > maxNameLength) {
    throw invalid(`The ${subject} has ${text.length} characters.`, `Give at most ${maxNameLength}.`);
  }
  if (isPrintable(text)) return text;
  throw invalid(`The ${subject} holds a control character or half a surrogate pair.`, 'Use printable characters.');
}

/** SQLite's text functions stop at a NUL and UTF-8 has no lone surrogates: two names must not become one. */
export function isPrintable(text: string): boolean {
  return text.isWellFormed() && !/\p{Cc}/u.test(text);
}

export function boundedInt(subject: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw invalid(`The ${subject} is ${value}.`, `Give a whole number from ${least} to ${most}.`);
}

export function boundedTtl(ttlMs: number): number {
  return boundedInt('time to live in milliseconds', ttlMs, 1, maxTtlMs);
}

/** The canonical JSON of `value`, if it has at most 65,536 bytes. */
export function boundedJson(subject: string, value: Json): string {
  const text = canonical(subject, value);
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxValueBytes) return text;
  throw invalid(
    `The ${subject} has ${bytes} bytes of JSON.`,
    `Keep it to ${maxValueBytes} bytes: store the content as an artifact and put its hash here.`,
  );
}

function canonical(subject: string, value: Json): string {
  try {
    return canonicalJson(value);
  } catch (error) {
    throw new AgovError('INPUT_INVALID', {
      what: `The ${subject} is not JSON.`,
      why: messageOf(error),
      fix: 'Leave out what JSON cannot hold, such as NaN, functions and cycles.',
      cause: error,
    });
  }
}

export function invalid(what: string, fix: string): AgovError {
  return new AgovError('INPUT_INVALID', { what, fix });
}
