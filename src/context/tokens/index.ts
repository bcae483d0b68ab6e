/** Text in tokens, counted by the tokenizer of the models that read it. Loaded when it is first needed: its table is large. */
import type { Config } from '../../schemas/index.ts';

export type Encoding = Config['tokens']['encoding'];

export interface Tokenizer {
  readonly encoding: Encoding;
  count(text: string): number;
  /** The longest beginning of `text` that has at most so many tokens, in whole characters. */
  clip(text: string, most: number): string;
}

/** The encoder takes the square of the length of a run without spaces: longer ones are counted in pieces. */
const longestRun = 256;
/** In characters; but for runs of spaces no token comes near. */
const longestToken = 128;
/** What looks like a special token in somebody's text is text. */
const asText = { disallowedSpecial: new Set<string>() };

export async function openTokenizer(encoding: Encoding): Promise<Tokenizer> {
  const { countTokens } = await load(encoding);
  const clip = (text: string, most: number): string => {
    let left = most;
    let taken = '';
    for (const piece of piecesOf(text)) {
      const tokens = countTokens(piece, asText);
      if (tokens > left) return taken + beginning(piece, left, (one) => countTokens(one, asText));
      taken += piece;
      left -= tokens;
    }
    return taken;
  };
  return {
    encoding,
    count: (text) => piecesOf(text).reduce((sum, piece) => sum + countTokens(piece, asText), 0),
    clip,
  };
}

/** By halving: the library's decoder does not tell where a character was cut. */
function beginning(piece: string, most: number, count: (text: string) => number): string {
  const letters = [...piece.slice(0, most * longestToken)];
  let [low, high] = [0, letters.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (count(letters.slice(0, middle).join('')) <= most) low = middle;
    else high = middle - 1;
  }
  return letters.slice(0, low).join('');
}

async function load(encoding: Encoding) {
  switch (encoding) {
    case 'o200k_base':
      return import('gpt-tokenizer/encoding/o200k_base');
    case 'cl100k_base':
      return import('gpt-tokenizer/encoding/cl100k_base');
  }
}

function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  let at = 0;
  for (const run of text.matchAll(new RegExp(`\\S{${longestRun},}`, 'g'))) {
    if (run.index > at) pieces.push(text.slice(at, run.index));
    pieces.push(...(run[0].match(new RegExp(`[^]{1,${longestRun}}`, 'gu')) ?? []));
    at = run.index + run[0].length;
  }
  if (at < text.length) pieces.push(text.slice(at));
  return pieces;
}
