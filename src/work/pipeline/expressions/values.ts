/** JSON as CEL has it, and back: whole numbers are `int` there, so that `count + 1` is what it looks like. */
import type { Json } from '../../../kernel/index.ts';

/** Integers become bigint, the rest of the numbers stay doubles. */
export function toCel(value: Json): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toCel(member as Json)]));
}

/** @throws TypeError for what JSON cannot hold: bytes, durations, infinities, integers past 2^53 */
export function fromCel(value: unknown): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return exact(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} cannot be recorded`);
    return value;
  }
  if (Array.isArray(value)) return value.map(fromCel);
  const entries = value instanceof Map ? [...value] : isPlain(value) ? Object.entries(value) : undefined;
  if (!entries) throw new TypeError('a value of this type cannot be recorded; make it a string');
  return Object.fromEntries(entries.map(([key, member]) => [String(key), fromCel(member)]));
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
