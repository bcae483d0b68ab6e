/** Takes secrets out of what goes into a checkpoint, by the rules of `governance/redaction`. */
import { secretFinder } from '../../../governance/redaction/index.ts';

export interface Clean {
  readonly bytes: Buffer;
  /** How many were taken out. */
  readonly count: number;
}

export interface Cleaner {
  bytes(content: Buffer): Clean;
  /** Every text in a value of JSON, at any depth. */
  value<T>(value: T): T;
}

/** The tables are made once, which takes longer than most texts. */
export function cleaner(): Cleaner {
  const find = secretFinder();
  const clean = (content: Buffer): Clean => {
    const finds = find(content);
    if (finds.length === 0) return { bytes: content, count: 0 };
    const pieces: Buffer[] = [];
    let at = 0;
    for (const { offset, length, rule } of finds) {
      const hidden = content.subarray(offset, offset + length);
      // As many lines as before, so that what comes after stays where it was.
      const lines = '\n'.repeat(hidden.filter((byte) => byte === 10).length);
      pieces.push(content.subarray(at, offset), Buffer.from(`[redacted:${rule}]${lines}`));
      at = offset + length;
    }
    pieces.push(content.subarray(at));
    return { bytes: Buffer.concat(pieces), count: finds.length };
  };
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return value.length < 8 ? value : clean(Buffer.from(value)).bytes.toString();
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner)]));
  };
  return { bytes: clean, value: <T>(value: T) => walk(value) as T }; // of the same shape: only texts change
}
