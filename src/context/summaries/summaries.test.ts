/** Summaries against references that a person wrote, and against the plainest summary there is: the beginning. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { l as rougeL } from 'js-rouge';
import { describe, expect, it } from 'vitest';
import { summarize, summaryLengths } from './index.ts';

const folder = join(import.meta.dirname, '../../../test/vectors/summaries');
const references = readdirSync(folder)
  .filter((name) => name.endsWith('.txt'))
  .map((name) => {
    const [source = '', text = '', summary = ''] = readFileSync(join(folder, name), 'utf8').split('\n---\n');
    return { name, source, text: text.trim(), summary: summary.trim() };
  });

const countWords = (text: string): number => text.split(/\s+/).filter(Boolean).length;
const beginning = (text: string, words: number): string => text.split(/\s+/).slice(0, words).join(' ');
const score = (candidate: string, reference: string): number => rougeL(candidate, reference, {});
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

it('has a set of references, each with its source', () => {
  expect(references.length).toBeGreaterThanOrEqual(12);
  for (const { source } of references) expect(source).toMatch(/^source: .+/);
});

it.each(['short', 'medium'] as const)('%s ones score higher than as many words from the beginning', (length) => {
  const scores = references.map(({ name, text, summary }) => {
    const made = summarize(text, 'text', length);
    return { name, ours: score(made, summary), first: score(beginning(text, countWords(made)), summary) };
  });
  const [ours, first] = [mean(scores.map((one) => one.ours)), mean(scores.map((one) => one.first))];
  expect(ours, JSON.stringify(scores, null, 1)).toBeGreaterThan(first + 0.02);
});

describe.each(references)('of $name', ({ text }) => {
  it('is no longer than asked, the same each time, and made of its sentences', () => {
    for (const length of ['short', 'medium', 'long'] as const) {
      const made = summarize(text, 'text', length);
      expect(countWords(made)).toBeLessThanOrEqual(summaryLengths[length]);
      expect(countWords(made)).toBeGreaterThan(5);
      expect(summarize(text, 'text', length)).toBe(made);
    }
  });
});

it('of code are its signatures with what is said above them', () => {
  const code = readFileSync(join(import.meta.dirname, 'index.ts'), 'utf8');
  const made = summarize(code, 'code', 'long');
  expect(made).toContain('Content in few words, without a model');
  expect(made).toContain('export function summarize(text: string, kind: string, length: SummaryLength): string');
  expect(made).toContain('Of at most so many words');
  expect(made).toContain('uses ./code.ts, ./log.ts, ./prose.ts, ./table.ts');
  expect(made).not.toContain('return');
});

it('of tables are header, shape and extremes', () => {
  const made = summarize('name,size,when\na,10,monday\nb,"2.5",monday\nc,,friday\n', 'table', 'medium');
  expect(made.split('\n')).toEqual([
    '3 rows × 3 columns: name, size, when',
    'name: a (1), b (1), c (1)',
    'size: 2.5 to 10, mean 6.25, 1 empty',
    'when: monday (2), friday (1)',
    'first: a, 10, monday',
    'last: c, , friday',
  ]);
});

it('of logs are levels, span, errors, and what repeats', () => {
  const lines = Array.from(
    { length: 50 },
    (_, i) => `2026-01-01T00:00:${String(i).padStart(2, '0')}Z INFO request ${i} took ${i * 3}ms`,
  );
  lines[20] = '2026-01-01T00:00:20Z ERROR connection to db-1 refused';
  lines[30] = '2026-01-01T00:00:30Z ERROR connection to db-2 refused';
  const made = summarize(lines.join('\n'), 'log', 'medium').split('\n');
  expect(made[0]).toBe('50 lines, 2026-01-01T00:00:00Z to 2026-01-01T00:00:49Z: INFO 48, ERROR 2');
  expect(made[1]).toBe('2 × 2026-01-01T00:00:20Z ERROR connection to db-1 refused');
  expect(made[2]).toBe('48 × INFO request * took *ms');
});

it.each(['text', 'code', 'log', 'table', 'markdown'])('of next to nothing as %s are no failure', (kind) => {
  for (const text of ['', '\n', 'x', '...', '"', ',', '🦊'.repeat(5000)])
    expect(typeof summarize(text, kind, 'short')).toBe('string');
});
