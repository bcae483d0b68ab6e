/** What an agent's own definition lets one run spend, and what it takes to count it. */
import type { Model } from '../../../adapters/models/port.ts';
import { type Budgets, limitsOf } from '../../../governance/budgets/index.ts';
import type { Channel } from '../../../governance/governor/index.ts';
import { AgovError } from '../../../kernel/index.ts';
import type { AgentJob } from '../kinds/types.ts';

/** The definition's own budget, below the one that the channel draws on; one for all turns of a run that waits between. */
export async function withBudget(
  budgets: Budgets,
  { channel, definition, begin }: Pick<AgentJob, 'channel' | 'definition' | 'begin'>,
): Promise<Channel> {
  const { budget, name } = definition.value;
  if (!budget) return channel;
  const { agent, run } = channel;
  const key = `agent:${name}:${begin.parent ?? run}`;
  const scope = await budgets.openScope({
    ...{ run, agent, name: `agent ${name}`, limits: limitsOf(budget), shrink: true, key },
    ...(channel.budget === undefined ? {} : { parent: channel.budget, overdraws: channel.overdraws }),
  });
  return { ...channel, budget: scope };
}

/** Of a process: its own time, or what is left of its budget's where that is less. */
export function timeLeft(
  budgets: Budgets,
  timeoutMs: number | undefined,
  { budget, overdraws }: Channel,
): { timeoutMs?: number } {
  const left = budget === undefined ? undefined : budgets.remaining(budget, overdraws).ms;
  const least = Math.min(timeoutMs ?? Number.POSITIVE_INFINITY, left ?? Number.POSITIVE_INFINITY);
  return Number.isFinite(least) ? { timeoutMs: least } : {};
}

/** An unknown price is not a price of nothing. @throws CONFIG_INVALID */
export function mustHavePrices(budgets: Budgets, { prices, name }: Model, { budget }: Channel): void {
  if (prices || budget === undefined || budgets.remaining(budget).moneyMicros === undefined) return;
  throw new AgovError('CONFIG_INVALID', {
    what: `The model "${name}" has no prices, and this run has a budget of money.`,
    why: 'What a call costs could not be told.',
    fix: `Set models.${name}.prices in agov.yaml.`,
  });
}
