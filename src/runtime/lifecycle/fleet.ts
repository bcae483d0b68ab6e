/**
 * Whom a deed can reach from here: the agents of this host's ledger, and those that only other hosts' ledgers know, as the
 * state server tells of them. Of these the server is believed what stops them; nothing that it says lets one act here.
 */
import type { AgentRecord, Registry } from '../../adapters/state/port.ts';
import { foldFleet } from '../../work/agents/index.ts';
import type { KillParts } from './types.ts';

export interface Found {
  /** From which the next step starts. */
  readonly record: AgentRecord;
  /** This ledger's word of it; undefined for another host's agent to which nothing was done from here. */
  readonly recorded: AgentRecord | undefined;
  /** The registry's; undefined where it has none, or was not asked. */
  readonly told: AgentRecord | undefined;
  /** Was never added here. */
  readonly elsewhere: boolean;
}

export interface Fleet {
  readonly found: ReadonlyMap<string, Found>;
  /** Why the registry could not be asked. */
  readonly unasked: unknown;
}

/** All, or the one of that name. */
export async function lookAtFleet({ ledger, state }: KillParts, only?: string): Promise<Fleet> {
  const asked = await state()
    .then(async ({ registry }) => ({ list: await listed(registry, only), unasked: undefined }))
    .catch((unasked: unknown) => ({ list: [], unasked }));
  // After the registry, so that what was recorded while it answered counts.
  const { agents, others } = foldFleet(ledger, only);
  const told = new Map(asked.list.map((agent) => [agent.name, agent]));
  const found = new Map<string, Found>();
  for (const name of new Set([...agents.keys(), ...others.keys(), ...told.keys()])) {
    const elsewhere = !agents.has(name);
    const recorded = agents.get(name) ?? others.get(name);
    const record = elsewhere ? newest(recorded, told.get(name)) : recorded;
    if (record) found.set(name, { record, recorded, told: told.get(name), elsewhere });
  }
  return { found, unasked: asked.unasked };
}

/** Any of these counts as what the agent is: of its own ledger and the registry's words neither hides the other. */
export function statusesOf({ record, told }: Found): readonly AgentRecord['status'][] {
  return told === undefined || told.status === record.status ? [record.status] : [record.status, told.status];
}

async function listed(registry: Registry, only: string | undefined): Promise<readonly AgentRecord[]> {
  if (only === undefined) return registry.list();
  const one = await registry.get(only);
  return one ? [one] : [];
}

function newest(one: AgentRecord | undefined, other: AgentRecord | undefined): AgentRecord | undefined {
  if (!one || !other) return one ?? other;
  if (one.status === 'revoked') return one;
  return other.status === 'revoked' || other.changedAt > one.changedAt ? other : one;
}
