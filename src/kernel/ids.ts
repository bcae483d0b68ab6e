/** Ids are UUIDv7 (RFC 9562): they sort by time, so that an index on them is an index on when. */
import type { Env } from './env.ts';

declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

export type EntryId = Brand<string, 'EntryId'>;
export type RunId = Brand<string, 'RunId'>;

export type IdSource = () => string;

/**
 * A source of UUIDv7. Within one source ids strictly increase, also inside one millisecond and when the clock goes
 * back (RFC 9562 section 6.2, method 1: a 12-bit counter in rand_a, then the timestamp is advanced).
 */
export function idSource(env: Env): IdSource {
  let lastMs = -1;
  let counter = 0;
  return () => {
    const bytes = env.random(16);
    const now = env.now();
    if (now > lastMs) {
      lastMs = now;
      // Start in the lower half, so that a burst has room to count.
      counter = (((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0)) & 0x7ff;
    } else if (++counter > 0xfff) {
      lastMs += 1;
      counter = 0;
    }
    return formatUuid(bytes, lastMs, counter);
  };
}

function formatUuid(bytes: Uint8Array, ms: number, counter: number): string {
  const time = ms.toString(16).padStart(12, '0');
  const variant = (((bytes[8] ?? 0) & 0x3f) | 0x80).toString(16).padStart(2, '0');
  const tail = Buffer.from(bytes.buffer, bytes.byteOffset + 9, 7).toString('hex');
  const count = counter.toString(16).padStart(3, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${variant}${tail.slice(0, 2)}-${tail.slice(2)}`;
}
