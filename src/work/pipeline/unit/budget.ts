/**
 * The budget that a unit draws on: its stage's, below the run's. What undoes and ends a run draws on the run's alone and is
 * never refused for it, since a run that is left half done costs more than it saves.
 */
import { z } from 'zod';
import { type Budgets, handedSchema, handOver, limitsOf } from '../../../governance/budgets/index.ts';
import { AgovError } from '../../../kernel/index.ts';
import type { Pipeline } from '../../../schemas/index.ts';
import type { Unit } from '../journal/index.ts';
import { isFinal, stageOf } from '../language/index.ts';

/** Plain data, so that it can be sent to whoever does the unit. */
export const purseSchema = z.strictObject({ budget: handedSchema, overdraws: z.literal(true).optional() });
export type Purse = z.infer<typeof purseSchema>;

/** Undefined where the pipeline limits nothing. Opened once for each run. */
export async function openRunBudget(
  budgets: Budgets | undefined,
  { name, budget }: Pipeline,
  run: string,
): Promise<string | undefined> {
  if (budget === undefined) return undefined;
  return must(budgets).openScope({ run, name, key: 'run', limits: limitsOf(budget) });
}

/** Opened at the first attempt; all attempts and items of the stage draw on the same one. */
export async function purseOf(
  budgets: Budgets | undefined,
  pipeline: Pipeline,
  { stage, undo }: Unit,
  run: string,
): Promise<Purse | undefined> {
  const whole = await openRunBudget(budgets, pipeline, run);
  const { budget, agent } = stageOf(pipeline, stage);
  if (undo || isFinal(pipeline, stage)) {
    return whole === undefined ? undefined : { budget: handOver(must(budgets), whole), overdraws: true };
  }
  if (budget === undefined) return whole === undefined ? undefined : { budget: handOver(must(budgets), whole) };
  const below = whole === undefined ? {} : { parent: whole, shrink: true };
  const limits = limitsOf(budget);
  const own = await must(budgets).openScope({ run, agent, name: stage, key: `stage:${stage}`, limits, ...below });
  return { budget: handOver(must(budgets), own) };
}

/** Without accounts nothing could be refused. */
function must(budgets: Budgets | undefined): Budgets {
  if (budgets) return budgets;
  throw new AgovError('INTERNAL', { what: 'A pipeline with a budget is driven by what keeps no accounts.' });
}
