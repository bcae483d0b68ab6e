/** Keeps the beginning of a stream in memory, and counts the rest. */
import { Writable } from 'node:stream';

export interface Collected {
  readonly stream: Writable;
  text(): string;
  /** Bytes that came, kept or not. */
  size(): number;
}

export function collector(limit: number): Collected {
  const chunks: Buffer[] = [];
  let size = 0;
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (size < limit) chunks.push(chunk.subarray(0, limit - size));
      size += chunk.length;
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString('utf8'), size: () => size };
}
