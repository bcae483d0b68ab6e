/** JSON as CEL has it, and back: whole numbers are `int` there, so that `count + 1` is what it looks like. */
import type { Json } from '../../../kernel/index.ts';

/** Integers become bigint, the rest of the numbers stay doubles. @throws TypeError for a key that no object may have */
export function toCel(value: Json): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [allowed(key), toCel(member as Json)]));
}

/** Whoever reads the record parses it level by level: what an agent printed must not exhaust a reader's stack. */
const deepest = 32;

/** @throws TypeError for what an entry cannot hold: bytes, durations, infinities, integers past 2^53, half characters, depth, keys that no object may have */
export function fromCel(value: unknown, depth = 0): Json {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return wellFormed(value);
  if (typeof value === 'bigint') return exact(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} cannot be recorded`);
    return value;
  }
  if (depth >= deepest) throw new TypeError(`a value nested deeper than ${deepest} levels cannot be recorded`);
  if (Array.isArray(value)) return value.map((item) => fromCel(item, depth + 1));
  const entries = value instanceof Map ? [...value] : isPlain(value) ? Object.entries(value) : undefined;
  if (!entries) throw new TypeError('a value of this type cannot be recorded; make it a string');
  return Object.fromEntries(
    entries.map(([key, member]) => [allowed(wellFormed(String(key))), fromCel(member, depth + 1)]),
  );
}

/** The value, if an expression can read it and an entry hold it. @throws TypeError */
export function recordable(value: Json): Json {
  return fromCel(toCel(value));
}

/** The first is lost, or becomes the prototype, wherever an object is copied; by the second CEL tells what a value is. */
const reserved = new Set(['__proto__', 'constructor']);

function allowed(key: string): string {
  if (!reserved.has(key)) return key;
  throw new TypeError(`an object with a key "${key}" cannot be read or recorded; give the key another name`);
}

/** RFC 8785 knows no text with half a surrogate pair. */
function wellFormed(text: string): string {
  if (text.isWellFormed()) return text;
  throw new TypeError('a text with half a surrogate pair cannot be recorded');
}

function exact(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new TypeError(`${value} is too large for a number; make it a string`);
  return number;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
