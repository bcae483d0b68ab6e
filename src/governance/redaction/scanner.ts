/**
 * Takes secrets that look like secrets out of a stream of bytes, also where a secret lies across two chunks: what may be
 * the beginning of one is held back until enough has come to tell. What is held is bounded (16 KiB), so that a line of any
 * length goes through. The governor's own secrets, whose values it knows, are the kernel's redactor's.
 */
import { type Anchors, compileAnchors } from './anchors.ts';
import { type SecretRule, secretRules } from './rules.ts';

export interface SecretFind {
  readonly rule: string;
  /** Of the first byte of the secret in the stream as it came. */
  readonly offset: number;
  readonly length: number;
}

export interface SecretScanner {
  /** The next bytes; what can be let out by now comes back, secrets replaced by `[redacted:RULE]`. */
  push(chunk: Uint8Array, last?: boolean): readonly Uint8Array[];
}

interface Compiled {
  readonly anchors: Anchors;
  readonly owners: readonly { readonly rule: SecretRule; readonly length: number }[];
}

/** No anchor is longer, nor any look behind it. */
const lookBehind = 32;

/** `onFind` is told each secret in the order of the stream. */
export function secretScanner(
  onFind: (find: SecretFind) => void,
  rules: readonly SecretRule[] = secretRules,
): SecretScanner {
  return scannerWith(compile(rules), onFind);
}

function compile(rules: readonly SecretRule[]): Compiled {
  const owners = rules.flatMap((rule) => rule.anchors.map((word) => ({ rule, word, length: word.length })));
  return { anchors: compileAnchors(owners.map(({ word }) => word)), owners };
}

function scannerWith(compiled: Compiled, onFind: (find: SecretFind) => void): SecretScanner {
  let held: Buffer = Buffer.alloc(0);
  /** Where `held` begins in the stream, how much of it has been let out, and how much has been looked at. */
  let base = 0;
  let out = 0;
  let seen = 0;

  return {
    push(chunk, last = false) {
      const bytes = held.length === 0 ? asBuffer(chunk) : Buffer.concat([held, chunk]);
      const pieces: Uint8Array[] = [];
      const found = (rule: SecretRule, start: number, end: number): void => {
        if (end <= out) return;
        // Overlapping finds are one; it has the name of the first.
        if (start >= out) {
          if (start > out) pieces.push(bytes.subarray(out, start));
          pieces.push(Buffer.from(`[redacted:${rule.name}]`));
          onFind({ rule: rule.name, offset: base + start, length: end - start });
        }
        out = end;
      };
      const reached = scan(compiled, bytes, seen, last, found);
      const keep = last ? bytes.length : Math.max(0, Math.min(reached, bytes.length - lookBehind));
      if (keep > out) {
        pieces.push(bytes.subarray(out, keep));
        out = keep;
      }
      // One byte more than is still to be let out: patterns look behind the anchor.
      const from = Math.max(0, keep - 1);
      held = Buffer.from(bytes.subarray(from));
      base += from;
      out = Math.max(0, out - from);
      seen = keep - from;
      return pieces;
    },
  };
}

/** The secrets of a text that is there as a whole. */
export function findSecrets(content: string | Uint8Array): readonly SecretFind[] {
  return secretFinder()(content);
}

/** The same for many texts: the tables are made once, which takes longer than most texts. */
export function secretFinder(
  rules: readonly SecretRule[] = secretRules,
): (content: string | Uint8Array) => readonly SecretFind[] {
  const compiled = compile(rules);
  return (content) => {
    const finds: SecretFind[] = [];
    const scanner = scannerWith(compiled, (find) => finds.push(find));
    scanner.push(typeof content === 'string' ? Buffer.from(content) : content, true);
    return finds;
  };
}

/** The text without what looks like a secret. */
export function redactText(text: string): string {
  const pieces = secretScanner(() => undefined).push(Buffer.from(text), true);
  return Buffer.concat(pieces).toString();
}

/** How far all is settled: everything before may be let out. */
function scan(
  { anchors: { next, firstEnd, wordsAt }, owners }: Compiled,
  bytes: Buffer,
  from: number,
  last: boolean,
  found: (rule: SecretRule, start: number, end: number) => void,
): number {
  let state = 0;
  for (let at = from; at < bytes.length; at++) {
    // In bounds by construction; the loop is what a gigabyte waits for.
    state = next[state * 256 + (bytes[at] as number)] as number;
    if (state < firstEnd) continue;
    for (const word of wordsAt(state)) {
      const owner = owners[word];
      if (!owner) continue;
      const start = at + 1 - owner.length;
      const reach = start + owner.rule.ahead;
      if (reach > bytes.length && !last) return start;
      const hit = matchAt(owner.rule, bytes, start, reach);
      if (hit) found(owner.rule, start + hit.skip, start + hit.skip + hit.length);
    }
  }
  return bytes.length;
}

function matchAt(
  rule: SecretRule,
  bytes: Buffer,
  start: number,
  reach: number,
): { skip: number; length: number } | undefined {
  const from = Math.max(0, start - 1);
  const window = bytes.toString('latin1', from, Math.min(reach, bytes.length));
  rule.pattern.lastIndex = start - from;
  const match = rule.pattern.exec(window);
  if (!match) return undefined;
  const [, key = '', value = ''] = match;
  if (value === '' || (rule.accepts && !rule.accepts(value, key))) return undefined;
  return { skip: key.length, length: value.length };
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
