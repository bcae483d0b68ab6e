/** Content, as it was logged: all of it, one part, or some lines. A part that is damaged is named, and the rest is given. */
import { AgovError } from '../../../kernel/index.ts';
import { type Database, partReader, partsFrom, type StoredEntry, type StoredPart } from '../store/index.ts';

export interface FetchOptions {
  /** From 1. */
  readonly part?: number;
  /** Lines from 1, both inclusive. */
  readonly lines?: { readonly from: number; readonly to: number };
}

export interface Piece {
  /** From 1. */
  readonly part: number;
  readonly label: string;
  /** Number of its first line, from 1. */
  readonly line: number;
  /** Undefined where it is damaged. */
  readonly bytes: Buffer | undefined;
}

const partsAtOnce = 256;

/** One piece a part, in their order. @throws INPUT_INVALID where there is no such part or line */
export function* pieces(db: Database, { entry, content }: StoredEntry, options: FetchOptions = {}): Generator<Piece> {
  const { part, lines } = options;
  if (part !== undefined && !(part >= 1 && part <= entry.parts)) throw noSuch('part', part, entry.parts);
  if (lines && !(lines.from >= 1 && lines.from <= lines.to)) throw badRange(lines);
  if (lines && lines.from > entry.lines) throw noSuch('line', lines.from, entry.lines);
  const read = partReader(db, content);
  const first = part === undefined ? firstPart(db, content, entry.parts, (lines?.from ?? 1) - 1) : part - 1;
  const last = part === undefined ? entry.parts : part;
  for (let n = first; n < last; n += partsAtOnce) {
    for (const stored of partsFrom(db, content, n, Math.min(partsAtOnce, last - n))) {
      if (lines && stored.line >= lines.to) return;
      const bytes = read(stored);
      const { label, line } = stored;
      const wanted = bytes && lines ? linesOf(bytes, stored, lines) : bytes;
      if (wanted?.length === 0) continue;
      yield {
        part: stored.n + 1,
        label,
        line: line + 1,
        bytes: wanted,
      };
    }
  }
}

/** A part that begins before this line, or in it, with none before it that holds some of the line. */
function firstPart(db: Database, content: number, parts: number, line: number): number {
  let [low, high] = [0, parts];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const begins = partsFrom(db, content, middle, 1)[0]?.line ?? 0;
    if (begins >= line) high = middle;
    else low = middle + 1;
  }
  // The line may begin in the part before: a long one goes through several.
  return Math.max(0, low - 1);
}

function linesOf(bytes: Buffer, { line: first }: StoredPart, { from, to }: { from: number; to: number }): Buffer {
  let start = 0;
  for (let line = first; line < from - 1 && start < bytes.length; line++) start = after(bytes, start);
  let end = start;
  for (let line = Math.max(first, from - 1); line < to && end < bytes.length; line++) end = after(bytes, end);
  return bytes.subarray(start, end);
}

function after(bytes: Buffer, from: number): number {
  const at = bytes.indexOf(10, from);
  return at === -1 ? bytes.length : at + 1;
}

function noSuch(what: 'part' | 'line', asked: number, most: number): AgovError {
  return new AgovError('INPUT_INVALID', {
    what: `There is no ${what} ${asked}.`,
    fix: `The entry has ${most} ${what}${most === 1 ? '' : 's'}, counted from 1.`,
  });
}

function badRange({ from, to }: { from: number; to: number }): AgovError {
  return new AgovError('INPUT_INVALID', {
    what: `${from}-${to} is no range of lines.`,
    fix: 'Give the first and the last line, counted from 1: --range 10-40.',
  });
}
