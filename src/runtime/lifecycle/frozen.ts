/**
 * For what a frozen agent is frozen: by an order over many alone, which an order like it undoes, or for a cause of its
 * own, which whoever thaws must know by name.
 */
import { z } from 'zod';
import type { AgentRecord } from '../../adapters/state/port.ts';
import { everyEntry, type Ledger } from '../../governance/ledger/index.ts';
import { type Tier, tierSchema } from '../../schemas/index.ts';
import type { KillTarget } from './types.ts';

/** Of an order: all agents, or a tier. */
export const wideScopeSchema = z.union([z.literal('all'), tierSchema]);
export type WideScope = 'all' | Tier;

export function scopeOf(target: KillTarget): WideScope | undefined {
  if ('all' in target) return 'all';
  return 'tier' in target ? target.tier : undefined;
}

const stepSchema = z.object({ step: z.string() });
const freezeSchema = z.object({
  step: z.literal('ordered'),
  deed: z.literal('freeze'),
  scope: wideScopeSchema.optional(),
});

/** Whether nothing but orders of this scope has frozen it. An order on record from before scopes were counts as a cause. */
export function isUndoneBy(ledger: Pick<Ledger, 'query'>, { name }: AgentRecord, scope: WideScope): boolean {
  const freeze = lastFreeze(ledger, name);
  if (!freeze) return false;
  const scopes = [...everyEntry(ledger, { kinds: ['kill'], agent: name })]
    .filter(({ seq }) => seq > freeze.since)
    .flatMap(({ body }) => freezeSchema.safeParse(body).data ?? []);
  // A step without its order was not made by one.
  return scopes.length >= freeze.steps && scopes.every((order) => order.scope === scope);
}

/** Since which entry it has been frozen, and by how many steps: two operators may freeze at the same moment. */
function lastFreeze(ledger: Pick<Ledger, 'query'>, agent: string): { since: number; steps: number } | undefined {
  let freeze: { since: number; steps: number } | undefined;
  for (const { seq, body } of everyEntry(ledger, { kinds: ['agent'], agent })) {
    if (stepSchema.parse(body).step !== 'frozen') freeze = undefined;
    else freeze = { since: freeze?.since ?? seq, steps: (freeze?.steps ?? 0) + 1 };
  }
  return freeze;
}
