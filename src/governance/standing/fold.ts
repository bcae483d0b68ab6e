/**
 * Agents and killed runs as the ledger tells them: the truth, of which the registry is a copy. One ledger is one host's:
 * it knows the agents that were added here, and of those of other hosts what was done to them from here.
 */
import { z } from 'zod';
import type { AgentRecord, StoppedRun } from '../../adapters/state/port.ts';
import { type Entry, nameSchema, tierSchema } from '../../schemas/index.ts';
import { type Handed, handedSchema } from '../delegation/index.ts';
import { everyEntry, type Ledger } from '../ledger/index.ts';

const agentBodySchema = z.strictObject({
  step: z.enum(['added', 'spawned', 'promoted', 'demoted', 'frozen', 'thawed', 'retired', 'revoked']),
  tier: tierSchema,
  operator: nameSchema,
  user: z.string(),
  reason: z.string().optional(),
  /** Tier, status or operator are the state server's word. It ends or holds; it grants nothing here. */
  told: z.literal(true).optional(),
  /** Of `spawned`, which another agent did: what it was given, and from whom. */
  handed: handedSchema.optional(),
});
export type AgentBody = z.infer<typeof agentBodySchema>;

/** Of the order to kill a run: the rest of its entry is the lifecycle's. */
const killedRunSchema = z.object({ step: z.literal('ordered'), reason: z.string() });

export interface Fleet {
  /** Added here: they may act here, by their tier and status. */
  readonly agents: Map<string, AgentRecord>;
  /** Never added here, and stopped or thawed from here: they may do nothing here, whatever their record says. */
  readonly others: Map<string, AgentRecord>;
  /** Of those among `agents` that an agent started. */
  readonly handed: Map<string, Handed>;
}

export function emptyFleet(): Fleet {
  return { agents: new Map(), others: new Map(), handed: new Map() };
}

export function foldFleet(ledger: Pick<Ledger, 'query'>, only?: string): Fleet {
  const fleet = emptyFleet();
  const entries = everyEntry(ledger, { kinds: ['agent'], ...(only ? { agent: only } : {}) });
  for (const entry of entries) takeAgent(fleet, entry);
  return fleet;
}

export function foldAgents(ledger: Pick<Ledger, 'query'>, only?: string): Map<string, AgentRecord> {
  return foldFleet(ledger, only).agents;
}

/** The first reason of each. */
export function foldKilledRuns(ledger: Pick<Ledger, 'query'>): readonly StoppedRun[] {
  const reasons = new Map<string, string>();
  for (const entry of everyEntry(ledger, { kinds: ['kill'] })) takeKilledRun(reasons, entry);
  return [...reasons].map(([run, reason]) => ({ run, reason }));
}

export function takeAgent({ agents, others, handed }: Fleet, { agent: name, at, body }: Entry): void {
  if (!name) return;
  const step = agentBodySchema.parse(body);
  // What it was handed is said once, before anything else is known of it; nothing that is known becomes another's.
  if (step.step === 'spawned' && (agents.has(name) || !step.handed)) return;
  if (step.handed) handed.set(name, step.handed);
  const into = step.told && !agents.has(name) ? others : agents;
  const known = into.get(name);
  const next = applyStep(known, name, step, Date.parse(at));
  // Whoever adds it does not undo what another process has done to it at the same moment.
  const held = known || into === others ? undefined : others.get(name);
  into.set(name, held && held.status !== 'active' ? { ...held, tier: next.tier } : next);
}

export function takeKilledRun(reasons: Map<string, string>, { run, body }: Entry): void {
  const order = killedRunSchema.safeParse(body);
  if (run && order.success && !reasons.has(run)) reasons.set(run, order.data.reason);
}

const statusAfter: Readonly<Record<AgentBody['step'], AgentRecord['status']>> = {
  ...{ added: 'active', spawned: 'active', promoted: 'active', demoted: 'active', thawed: 'active' },
  ...{ frozen: 'frozen', retired: 'retired', revoked: 'revoked' },
};

/**
 * Nothing comes after a revocation, and after a retirement only that: two operators may act at the same moment, and
 * whoever thaws must not undo what another has just killed.
 */
export function applyStep(before: AgentRecord | undefined, name: string, body: AgentBody, at: number): AgentRecord {
  if (before?.status === 'revoked') return before;
  if (before?.status === 'retired' && body.step !== 'revoked') return before;
  const parent = before ? before.parent : body.handed?.parent;
  return {
    name,
    tier: body.tier,
    status: statusAfter[body.step],
    operator: body.operator,
    createdAt: before?.createdAt ?? at,
    changedAt: at,
    ...(body.reason === undefined ? {} : { reason: body.reason }),
    ...(parent === undefined ? {} : { parent }),
  };
}
