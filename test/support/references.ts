/** Texts of the public domain with a summary that a person wrote, and what any summary must be better than. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { l } from 'js-rouge';

export interface Reference {
  readonly name: string;
  readonly source: string;
  readonly text: string;
  readonly summary: string;
}

export function readReferences(): readonly Reference[] {
  const folder = join(import.meta.dirname, '../vectors/summaries');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .map((name) => {
      const [source = '', text = '', summary = ''] = readFileSync(join(folder, name), 'utf8').split('\n---\n');
      return { name, source, text: text.trim(), summary: summary.trim() };
    });
}

export const countWords = (text: string): number => text.split(/\s+/).filter(Boolean).length;

export interface Scored {
  /** ROUGE-L, from 0 to 1. */
  readonly ours: number;
  /** Of as many words from the beginning. */
  readonly firstWords: number;
  /** Of the first lines of a page 80 letters wide: so many that they have at least as many words. */
  readonly firstLines: number;
}

export function scoreOf({ text, summary }: Reference, made: string): Scored {
  const words = countWords(made);
  const score = (candidate: string): number => l(candidate, summary, {});
  return {
    ours: score(made),
    firstWords: score(text.split(/\s+/).slice(0, words).join(' ')),
    firstLines: score(firstLines(text, words)),
  };
}

function firstLines(text: string, words: number): string {
  // A paragraph is one line in the files.
  const lines = text.match(/\S.{0,79}(?=\s|$)/g) ?? [];
  let count = 0;
  let taken = 0;
  while (taken < lines.length && count < words) count += countWords(lines[taken++] ?? '');
  return lines.slice(0, taken).join(' ');
}

export function mean(scores: readonly Scored[]): Scored {
  const of = (key: keyof Scored): number => scores.reduce((sum, one) => sum + one[key], 0) / scores.length;
  return { ours: of('ours'), firstWords: of('firstWords'), firstLines: of('firstLines') };
}
