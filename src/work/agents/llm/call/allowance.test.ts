import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Model } from '../../../../adapters/models/port.ts';
import { allowanceFor } from './allowance.ts';

const model = (maxOutput: number, prices: Model['prices']): Model => ({
  ...{ name: 'main', provider: 'scripted', model: 'scripted', key: undefined, context: 100_000 },
  ...{ maxOutput, deadlineMs: 1000, prices },
  complete: () => Promise.reject(new Error('It is not asked here.')),
});

it('holds no more than is left, and pays for as long an answer as it can', () => {
  const amount = fc.integer({ min: 0, max: 1_000_000 });
  const price = fc.double({ min: 0, max: 100, noNaN: true });
  fc.assert(
    fc.property(
      amount,
      amount,
      fc.integer({ min: 16, max: 10_000 }),
      price,
      price,
      amount,
      (tokens, money, most, i, o, prompt) => {
        const left = { tokens, moneyMicros: money };
        const allowance = allowanceFor(model(most, { input: i, output: o }), prompt, left);
        if (allowance === 'spent') return;
        expect(allowance.reserve.tokens).toBeLessThanOrEqual(tokens);
        expect(allowance.reserve.moneyMicros).toBeLessThanOrEqual(money);
        expect(Number.isInteger(allowance.reserve.moneyMicros)).toBe(true);
        expect(allowance.maxOutputTokens).toBeGreaterThanOrEqual(16);
        expect(allowance.maxOutputTokens).toBeLessThanOrEqual(most);
      },
    ),
  );
});

it.each([
  ['nothing limits it', {}, 1000],
  ['tokens do', { tokens: 625 }, 500],
  ['money does', { moneyMicros: 125 * 3 + 15 * 200 }, 200],
  ['too few tokens are left', { tokens: 130 }, 'spent'],
  ['too little money is left', { moneyMicros: 400 }, 'spent'],
])('where %s', (_name, left, wanted) => {
  const allowance = allowanceFor(model(1000, { input: 3, output: 15 }), 100, left);
  expect(allowance === 'spent' ? allowance : allowance.maxOutputTokens).toBe(wanted);
});
