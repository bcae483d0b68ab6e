import { expect, it } from 'vitest';
import { openTokenizer } from './index.ts';

it('counts as the encoding says, which the configuration chooses', async () => {
  const [o200k, cl100k] = [await openTokenizer('o200k_base'), await openTokenizer('cl100k_base')];
  // Published with the encodings.
  expect(o200k.count('hello world')).toBe(2);
  expect(cl100k.count('hello world')).toBe(2);
  expect(o200k.count('お誕生日おめでとう')).toBe(8);
  expect(cl100k.count('お誕生日おめでとう')).toBe(9);
  expect(o200k.count('')).toBe(0);
});

it('takes the name of a special token for text', async () => {
  const { count } = await openTokenizer('o200k_base');
  expect(count('<|endoftext|>')).toBeGreaterThan(1);
});

it('clips to whole characters within the budget', async () => {
  const { clip, count } = await openTokenizer('o200k_base');
  const text = `Grüße 🦊🦊 and ${'words '.repeat(100)}${'x7'.repeat(2000)}`;
  for (const most of [0, 1, 2, 3, 4, 5, 50, 120, 500]) {
    const clipped = clip(text, most);
    expect(text.startsWith(clipped)).toBe(true);
    expect(count(clipped)).toBeLessThanOrEqual(most);
  }
  expect(clip(text, 100_000)).toBe(text);
});

it('is not held up by a run without spaces', async () => {
  const { count } = await openTokenizer('o200k_base');
  const begun = performance.now();
  expect(count('q7'.repeat(200_000))).toBeGreaterThan(200_000);
  expect(performance.now() - begun).toBeLessThan(15_000);
});
