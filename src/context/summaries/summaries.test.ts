/** Summaries against references that a person wrote, and against the plainest summary there is: the beginning. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countWords, mean, readReferences, scoreOf } from '../../../test/support/references.ts';
import { summarize, summaryLengths } from './index.ts';

const references = readReferences();

it('has a set of references, each with its source', () => {
  expect(references.length).toBeGreaterThanOrEqual(12);
  for (const { source } of references) expect(source).toMatch(/^source: .+/);
});

it.each(['short', 'medium'] as const)('%s ones score higher than as much from the beginning', (length) => {
  const scores = references.map((one) => scoreOf(one, summarize(one.text, 'text', length)));
  const { ours, firstWords, firstLines } = mean(scores);
  expect(ours, JSON.stringify(scores, null, 1)).toBeGreaterThan(firstWords + 0.02);
  expect(ours).toBeGreaterThan(firstLines + 0.02);
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

it.each(['text', 'code', 'log', 'table', 'markdown', 'json'])('of very much as %s are made, and soon', (kind) => {
  const sentence = (n: number): string => `The walnut number ${n} lies in cellar ${n % 17} of the house, ${n * 3}. `;
  const much = Array.from({ length: 30_000 }, (_, n) => `${sentence(n)}${n % 5 === 0 ? '\n' : ''}`).join('');
  const begun = process.cpuUsage();
  for (const text of [much, much.replaceAll('\n', ''), much.replaceAll('. ', ',\n'), 'word '.repeat(400_000)])
    expect(countWords(summarize(text, kind, 'long'))).toBeGreaterThan(0);
  for (const text of [much, much.replaceAll('\n', ''), 'word,'.repeat(100_000), 'x'.repeat(1_000_000)]) {
    const made = summarize(text, kind, 'short');
    expect(countWords(made)).toBeLessThanOrEqual(summaryLengths.short + 4);
    expect(made.length).toBeLessThan(10_000);
  }
  // Of the processor, which others may be using: microseconds.
  expect(process.cpuUsage(begun).user).toBeLessThan(10_000_000);
});

it.each(['text', 'code', 'log', 'table', 'markdown'])('of next to nothing as %s are no failure', (kind) => {
  for (const text of ['', '\n', 'x', '...', '"', ',', '🦊'.repeat(5000)])
    expect(typeof summarize(text, kind, 'short')).toBe('string');
});
