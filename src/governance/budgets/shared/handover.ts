/** Takes a budget to another host, whose ledger does not know it: what is spent there counts in the same accounts. */
import { z } from 'zod';
import { isAgovError } from '../../../kernel/index.ts';
import { limitsSchema } from '../account/index.ts';
import type { Budgets } from '../types.ts';

/** Plain data, to be sent along: the topmost budget first, the one that is drawn on last. */
export const handedSchema = z
  .array(
    z.strictObject({
      id: z.string().min(1).max(64),
      account: z.string().min(1).max(64),
      name: z.string().max(200),
      run: z.string().min(1).max(128),
      limits: limitsSchema,
    }),
  )
  .min(1)
  .max(16)
  .readonly();
export type Handed = z.infer<typeof handedSchema>;

export function handOver(budgets: Pick<Budgets, 'statement'>, scope: string): Handed {
  const { id, account, name, run, limits, parent, left } = budgets.statement(scope);
  // Time is told by what is left of it, since it begins again where it is taken up.
  const timed = left.ms === undefined ? limits : { ...limits, ms: left.ms };
  return [...(parent === undefined ? [] : handOver(budgets, parent)), { id, account, name, run, limits: timed }];
}

/** The budget here; opened below those above it where this ledger has none of them. */
export async function adopt(budgets: Pick<Budgets, 'statement' | 'openScope'>, handed: Handed): Promise<string> {
  let parent: string | undefined;
  for (const { id, account, name, run, limits } of handed) {
    const below = parent === undefined ? {} : { parent, shrink: true };
    parent = isHere(budgets, id)
      ? id
      : await budgets.openScope({ run, name, limits, account, key: `from:${account}`, ...below });
  }
  return parent ?? '';
}

function isHere(budgets: Pick<Budgets, 'statement'>, id: string): boolean {
  try {
    budgets.statement(id);
    return true;
  } catch (error) {
    if (isAgovError(error, 'NOT_FOUND')) return false;
    throw error;
  }
}
