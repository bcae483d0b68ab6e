/** Pieces of a text put together, best first, within a number of tokens; what did not fit is counted by what it was. */
import type { Tokenizer } from '../../tokens/index.ts';

export interface Piece {
  readonly section: string;
  /** The lower, the more useful. */
  readonly rank: number;
  readonly text: string;
  /** What it is counted as where it is left out: `files`, `notes`. */
  readonly what: string;
  /** Its beginning is of use too. */
  readonly clip?: true;
}

export interface LeftOut {
  readonly what: string;
  readonly count: number;
  /** The command that shows it. */
  readonly see: string;
}

export interface Packed {
  readonly text: string;
  readonly tokens: number;
  readonly leftOut: readonly LeftOut[];
}

interface Taken {
  readonly order: number;
  readonly section: string;
  readonly text: string;
}

/** Below that a beginning says nothing. */
const leastClip = 24;
const heading = (section: string): string => (section === '' ? '' : `\n## ${section}\n`);

/** `sections` tells their order, `see` the command for each kind of piece. */
export function pack(
  pieces: readonly Piece[],
  sections: readonly string[],
  see: Readonly<Record<string, string>>,
  budget: number,
  { count, clip }: Tokenizer,
): Packed {
  const every = leftOutOf(pieces, see);
  const room = budget - Math.min(count(footer(every)), Math.floor(budget / 4));
  const ranked = pieces.map((piece, order) => ({ piece, order })).sort((a, b) => a.piece.rank - b.piece.rank);
  const taken: Taken[] = [];
  const out = new Set<Piece>();
  const begun = new Set<string>();
  let used = 0;
  for (const { piece, order } of ranked) {
    const { section, text } = piece;
    const head = begun.has(section) ? 0 : count(heading(section));
    const whole = head + count(`${text}\n`);
    const left = room - used;
    if (whole <= left) {
      taken.push({ order, section, text });
      used += whole;
    } else {
      out.add(piece);
      if (!piece.clip || left - head < leastClip) continue;
      const beginning = `${clip(text, left - head - 4).trimEnd()} …`;
      taken.push({ order, section, text: beginning });
      used += head + count(`${beginning}\n`);
    }
    begun.add(section);
  }
  for (;;) {
    const leftOut = leftOutOf([...out], see);
    const made = `${rendered(taken, sections)}${footer(leftOut)}`;
    const tokens = count(made);
    if (tokens <= budget) return { text: made, tokens, leftOut };
    // Tokens of pieces do not quite add up to those of the whole.
    const last = taken.pop();
    if (!last) {
      const clipped = clip(made, budget);
      return { text: clipped, tokens: count(clipped), leftOut };
    }
    const piece = pieces[last.order];
    if (piece) out.add(piece);
  }
}

function rendered(taken: readonly Taken[], sections: readonly string[]): string {
  return sections
    .map((section) => {
      const own = taken.filter((one) => one.section === section).sort((a, b) => a.order - b.order);
      return own.length === 0 ? '' : `${heading(section)}${own.map(({ text }) => `${text}\n`).join('')}`;
    })
    .join('')
    .replace(/^\n/, '');
}

function leftOutOf(pieces: readonly Piece[], see: Readonly<Record<string, string>>): readonly LeftOut[] {
  const counts = new Map<string, number>();
  for (const { what } of pieces) counts.set(what, (counts.get(what) ?? 0) + 1);
  return [...counts].map(([what, count]) => ({ what, count, see: see[what] ?? 'agov checkpoint report' }));
}

function footer(leftOut: readonly LeftOut[]): string {
  if (leftOut.length === 0) return '';
  const byCommand = Map.groupBy(leftOut, ({ see }) => see);
  const lines = [...byCommand].map(
    ([see, some]) => `- ${some.map(({ what, count }) => `${what} (${count})`).join(', ')}: ${see}`,
  );
  return `\n## Left out\n${lines.join('\n')}\n`;
}
