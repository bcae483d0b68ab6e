/**
 * Sentences that stand for a text: TextRank (Mihalcea and Tarau 2004) over the words that sentences share, helped by where
 * a sentence stands, without one that says again what was said (maximal marginal relevance). In the order of the text.
 */
import { sentencesOf, wordsOf } from './words.ts';

/** Sentences that are compared with each other; of more, every n-th is. */
const mostSentences = 400;
const damping = 0.85;
const rounds = 30;
/** How much a sentence loses for being like one that was chosen. */
const redundancy = 0.6;

/** At most `most` words. */
export function proseSummary(text: string, most: number): string {
  const all = sentencesOf(text);
  const step = Math.ceil(all.length / mostSentences);
  const sentences = all.filter((_, i) => i % step === 0);
  const bags = sentences.map((sentence) => new Set(wordsOf(sentence)));
  const near = bags.map((a, i) => bags.map((b, j) => (i === j ? 0 : likeness(a, b))));
  const weights = textRank(near).map((rank, i) => rank * position(i, sentences.length) * size(sentences[i] ?? ''));
  // One by one: of four hundred sentences there are more pairs than a call takes arguments.
  const strongest = near.reduce((top, row) => row.reduce((most, value) => Math.max(most, value), top), 1e-9);
  const chosen: number[] = [];
  let left = most;
  for (;;) {
    const next = best(weights, near, strongest, chosen, (i) => wordCount(sentences[i] ?? '') <= left);
    if (next === undefined) break;
    chosen.push(next);
    left -= wordCount(sentences[next] ?? '');
  }
  if (chosen.length === 0) return (sentences[0] ?? '').split(' ').slice(0, most).join(' ');
  return chosen
    .sort((a, b) => a - b)
    .map((i) => sentences[i])
    .join(' ');
}

function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  if (a.size < 2 || b.size < 2) return 0;
  let shared = 0;
  for (const word of a) if (b.has(word)) shared += 1;
  return shared / (Math.log(a.size) + Math.log(b.size));
}

function textRank(near: readonly (readonly number[])[]): number[] {
  const totals = near.map((row) => row.reduce((sum, value) => sum + value, 0));
  let ranks = near.map(() => 1);
  for (let round = 0; round < rounds; round++) {
    const before = ranks;
    ranks = near.map(
      (row, i) =>
        1 -
        damping +
        damping * row.reduce((sum, _, j) => sum + ((near[j]?.[i] ?? 0) * (before[j] ?? 0)) / (totals[j] || 1), 0),
    );
  }
  return ranks;
}

/** What comes first tells what it is about, and the end often what follows from it. */
function position(i: number, count: number): number {
  if (i === 0) return 1.6;
  return 1 + 0.35 * Math.exp(-i / 3) + (i === count - 1 ? 0.15 : 0);
}

/** Headings and exclamations say little by themselves. */
function size(sentence: string): number {
  const words = wordCount(sentence);
  return words < 5 ? 0.3 : words > 60 ? 0.8 : 1;
}

function best(
  weights: readonly number[],
  near: readonly (readonly number[])[],
  strongest: number,
  chosen: readonly number[],
  fits: (i: number) => boolean,
): number | undefined {
  let found: number | undefined;
  let top = -Infinity;
  for (const [i, weight] of weights.entries()) {
    if (chosen.includes(i) || !fits(i)) continue;
    const said = Math.max(0, ...chosen.map((j) => near[i]?.[j] ?? 0)) / strongest;
    const value = weight * (1 - redundancy * said);
    if (value > top) [found, top] = [i, value];
  }
  return found;
}

function wordCount(text: string): number {
  return text.split(/\s+/).length;
}
