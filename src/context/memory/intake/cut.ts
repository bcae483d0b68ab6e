/**
 * Cuts bytes where a reader would: before a heading, a function, a record of a log, a paragraph. A table and a block of
 * code stay whole as long as they fit. Pure, and the same bytes are always cut in the same places.
 */
import { type Kind, startsRecord } from './kind.ts';

interface Sizes {
  /** No part is shorter, but the last. */
  readonly min: number;
  /** From here on a common border will do. */
  readonly target: number;
  /** No part is longer. */
  readonly max: number;
}

const sizes: Readonly<Record<Kind, Sizes>> = {
  text: { min: 600, target: 1600, max: 6000 },
  markdown: { min: 400, target: 2400, max: 16_000 },
  code: { min: 400, target: 2000, max: 8000 },
  json: { min: 1000, target: 3000, max: 8000 },
  log: { min: 4000, target: 4000, max: 16_000 },
  table: { min: 24_000, target: 24_000, max: 48_000 },
  binary: { min: 65_536, target: 65_536, max: 65_536 },
};

/** 3: a new thing begins here; 2: a pause; 1: a line; 0: not here. */
type Strength = 0 | 1 | 2 | 3;

const longestLook = 300;
const newline = 10;

/** Where each part ends. The last one may go on in what comes after `bytes`. */
export function cut(kind: Kind, bytes: Buffer): readonly number[] {
  const ends: number[] = [];
  for (let start = 0; start < bytes.length; ) {
    start = endOf(kind, bytes, start);
    ends.push(start);
  }
  return ends;
}

function endOf(kind: Kind, bytes: Buffer, start: number): number {
  const { min, target, max } = sizes[kind];
  const limit = Math.min(bytes.length, start + max);
  if (bytes.length - start <= min || kind === 'binary') return limit;
  const judge = borderJudge(kind);
  // Only Markdown must be read from its beginning: whether a line is inside a block of code is told far above it.
  let line = kind === 'markdown' ? start : nextLine(bytes, start + min - 1);
  let best = 0;
  let bestStrength: Strength = 0;
  while (line < limit) {
    const strength = judge(bytes, line, start);
    const size = line - start;
    if (size >= min) {
      if (strength === 3 || (strength === 2 && size >= target)) return line;
      if (strength > 0 && strength >= bestStrength) [best, bestStrength] = [line, strength];
    }
    line = nextLine(bytes, line);
  }
  if (bytes.length - start <= max) return bytes.length;
  return best > 0 ? best : insideLine(bytes, start, limit);
}

function nextLine(bytes: Buffer, from: number): number {
  const at = bytes.indexOf(newline, from);
  return at === -1 ? bytes.length : at + 1;
}

/** Where a line that is too long may be cut: after a sentence, a word, at least not inside a character. */
function insideLine(bytes: Buffer, start: number, limit: number): number {
  const from = limit - Math.floor((limit - start) / 4);
  const tail = bytes.toString('latin1', from, limit);
  const sentence = Math.max(tail.lastIndexOf('. '), tail.lastIndexOf('\n'));
  const word = Math.max(tail.lastIndexOf(' '), tail.lastIndexOf(','));
  const at = sentence >= 0 ? sentence + (tail[sentence] === '\n' ? 1 : 2) : word + 1;
  if (at > 0) return from + at;
  let end = limit;
  // A byte 10xxxxxx goes on with a character; no character has more than three of them.
  while (end > limit - 4 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return end;
}

type Judge = (bytes: Buffer, line: number, start: number) => Strength;

function borderJudge(kind: Kind): Judge {
  const text = (bytes: Buffer, line: number): string => {
    const end = bytes.indexOf(newline, line);
    return bytes.toString('latin1', line, Math.min(end === -1 ? bytes.length : end, line + longestLook));
  };
  switch (kind) {
    case 'log':
      return (bytes, line) => (startsRecord(text(bytes, line)) ? 3 : indented(bytes, line) ? 0 : 1);
    case 'table':
      return () => 2;
    case 'json':
      return (bytes, line) => (/^(?:[[{]|\s{0,4}["}\]])/.test(text(bytes, line)) ? 2 : 1);
    case 'code':
      return (bytes, line) => {
        if (!afterBlank(bytes, line)) return definition.test(text(bytes, line)) ? 2 : 1;
        return indented(bytes, line) ? 2 : 3;
      };
    case 'markdown':
      return markdownJudge(text);
    default:
      return (bytes, line) => (afterBlank(bytes, line) ? 2 : 1);
  }
}

const definition =
  /^(?:export |default |async |public |private |static |pub )*(?:function|class|interface|type|enum|struct|impl|trait|fn|func|def|module|resource)\b/;

function markdownJudge(text: (bytes: Buffer, line: number) => string): Judge {
  let fenced = false;
  return (bytes, line, start) => {
    const words = text(bytes, line);
    if (/^\s{0,3}(?:```|~~~)/.test(words)) {
      fenced = !fenced;
      return fenced && line > start && afterBlank(bytes, line) ? 1 : 0;
    }
    if (fenced || /^\s*\|/.test(words)) return 0;
    if (/^#{1,6} /.test(words)) return 3;
    return afterBlank(bytes, line) && !/^\s/.test(words) ? 2 : 1;
  };
}

function afterBlank(bytes: Buffer, line: number): boolean {
  return (
    bytes[line - 1] === newline &&
    (bytes[line - 2] === newline || (bytes[line - 2] === 13 && bytes[line - 3] === newline))
  );
}

function indented(bytes: Buffer, line: number): boolean {
  return bytes[line] === 32 || bytes[line] === 9;
}
