/** How much of an answer a budget still pays for, and what is held for it meanwhile. */
import type { Model } from '../../../../adapters/models/port.ts';
import type { Limits, Spent } from '../../../../governance/budgets/index.ts';

/** An answer of fewer tokens says nothing. */
const leastOutput = 16;
/** By which the estimate of a prompt may be off. */
const spare = 1.25;

export type Allowance = { readonly maxOutputTokens: number; readonly reserve: Required<Spent> } | 'spent';

/** @param promptTokens an estimate @param left what is limited, and how much of it is there */
export function allowanceFor({ maxOutput, prices }: Model, promptTokens: number, left: Limits): Allowance {
  const input = Math.ceil(promptTokens * spare);
  // A price for a million tokens is the same number of millionths for one.
  const [perInput, perOutput] = [prices?.input ?? 0, prices?.output ?? 0];
  const byTokens = left.tokens === undefined ? maxOutput : left.tokens - input;
  const moneyLeft = (left.moneyMicros ?? 0) - Math.ceil(input * perInput);
  const byMoney = left.moneyMicros === undefined || perOutput === 0 ? maxOutput : Math.floor(moneyLeft / perOutput);
  const maxOutputTokens = Math.min(maxOutput, byTokens, byMoney);
  if (maxOutputTokens < Math.min(leastOutput, maxOutput) || (left.moneyMicros !== undefined && moneyLeft < 0))
    return 'spent';
  const moneyMicros = Math.ceil(input * perInput) + Math.ceil(maxOutputTokens * perOutput);
  return { maxOutputTokens, reserve: { tokens: input + maxOutputTokens, moneyMicros } };
}
