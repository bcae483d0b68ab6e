/** What budgets are in the ledger: an entry that opens one, a mark in each intent that draws on it, and what it spent. */
import { z } from 'zod';
import type { Decision, Entry } from '../../../schemas/index.ts';
import { limitsSchema, type Spent, wholeAmount } from './limits.ts';

/** Its `parent` is the budget above it, its `run` the one that spends from it. */
export const budgetBodySchema = z.strictObject({
  step: z.literal('opened'),
  name: z.string(),
  limits: limitsSchema,
  /** Opened once for ever under this in its run, so that a resumed run goes on with the same. */
  key: z.string().optional(),
  /** Where its limits were first set, when another host opened it: both count in one account of the state. */
  account: z.string().optional(),
});
export type BudgetBody = z.infer<typeof budgetBodySchema>;

/** `budget` in an intent's body. */
export interface Draw {
  readonly scope: string;
  readonly reserved?: Spent;
  /** What undoes and ends a run counts and is not refused. */
  readonly overdraws?: true;
}

/** The draw of an allowed intent; undefined where it draws on nothing. Written by the governor alone. */
export function drawOf({ body }: Entry): Draw | undefined {
  if (body['budget'] === undefined) return undefined;
  const { budget, decision } = body as unknown as { readonly budget: Draw; readonly decision: Decision };
  return decision.verdict === 'allow' ? budget : undefined;
}

/** `spent` in an outcome's body, of what is a number and not negative: for the rest, what was reserved stands. */
export function readSpent(value: unknown): Spent {
  if (typeof value !== 'object' || value === null) return {};
  const { tokens, moneyMicros } = value as { readonly tokens?: unknown; readonly moneyMicros?: unknown };
  const [some, paid] = [wholeAmount(tokens), wholeAmount(moneyMicros)];
  return { ...(some === undefined ? {} : { tokens: some }), ...(paid === undefined ? {} : { moneyMicros: paid }) };
}
