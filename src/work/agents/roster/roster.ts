/**
 * Who may act here: agents are added, moved between tiers, frozen, retired and revoked by operators. The ledger is the
 * truth of this host; the state registry is the fast copy that all hosts share, brought in line at each start.
 */
import type { AgentRecord, Registry } from '../../../adapters/state/port.ts';
import type { Ledger } from '../../../governance/ledger/index.ts';
import { type AgentBody, applyStep, foldAgents, foldFleet, leastOf } from '../../../governance/standing/index.ts';
import { AgovError, type JsonObject } from '../../../kernel/index.ts';
import { nameSchema, type Tier, tierLevel } from '../../../schemas/index.ts';
import { putActs, reconcileFleet } from './in-line.ts';

/** The human at the keyboard: the name under which an act is recorded, and the system user who typed it. */
export interface OperatorAct {
  readonly operator: string;
  readonly user: string;
}

export interface Roster {
  /** @throws INPUT_INVALID for a bad name or a tier above T2, CONFLICT when the name is taken */
  add(name: string, tier: Tier, by: OperatorAct): Promise<AgentRecord>;
  retire(name: string, by: OperatorAct, reason: string): Promise<AgentRecord>;
  /** Moves an active agent to another tier. @throws INPUT_INVALID above T2, CONFLICT where it is there already */
  move(name: string, to: Tier, by: OperatorAct, reason: string): Promise<AgentRecord>;
  /** Marks only, as `revoke` does: nothing runs in its name until `thaw`. @throws CONFLICT unless it is active */
  freeze(name: string, by: OperatorAct, reason: string): Promise<AgentRecord>;
  /** @throws CONFLICT unless it is frozen */
  thaw(name: string, by: OperatorAct, reason: string): Promise<AgentRecord>;
  /** Marks only; what runs is stopped by the lifecycle. The ledger first, then the registry. */
  revoke(name: string, by: OperatorAct, reason: string): Promise<AgentRecord>;
  /** By the ledger. @throws NOT_FOUND */
  get(name: string): Promise<AgentRecord>;
  /** Of this ledger, by name, as far as ledger and registry both let them act. */
  list(): Promise<readonly AgentRecord[]>;
  /** Of other hosts' ledgers, as the registry tells: here they may do nothing. */
  elsewhere(): Promise<readonly AgentRecord[]>;
  /** Brings registry and ledger in line, see `reconcileFleet`. The number of records that differed. */
  reconcile(): Promise<number>;
}

export function ledgerRoster(ledger: Ledger, registry: Registry): Roster {
  /** By the ledger: what a step starts from goes into the next entry, and a writer to the state server must not say it. */
  async function get(name: string): Promise<AgentRecord> {
    const agent = foldAgents(ledger, name).get(name);
    if (agent) return agent;
    throw new AgovError('NOT_FOUND', {
      what: `There is no agent "${name}".`,
      fix: `See "agov agent list", or add it with "agov agent add ${nameSchema.safeParse(name).success ? name : 'NAME'}".`,
    });
  }

  async function record(name: string, body: AgentBody, claim?: string): Promise<AgentRecord> {
    await appendStep(ledger, { name, before: undefined }, body, claim);
    const recorded = await get(name);
    await putActs(ledger, registry, [recorded]);
    return get(name);
  }

  /** What it is also when another host has stopped it. */
  function atMost(recorded: AgentRecord, told: AgentRecord | undefined): AgentRecord {
    const stopped = undefined;
    return leastOf({ agent: recorded, stopped }, { agent: told ?? recorded, stopped }).agent ?? recorded;
  }

  /** One step of an agent that is in one of the states `from`. */
  async function step(
    name: string,
    from: readonly AgentRecord['status'][],
    body: Omit<AgentBody, 'tier'> & { tier?: Tier },
  ) {
    const agent = await get(name);
    // To act on it would be the newer act, and would lift what another host has done to it.
    const { status } = body.step === 'revoked' ? agent : atMost(agent, await registry.get(name));
    if (!from.includes(status)) {
      throw new AgovError('CONFLICT', { what: `Agent "${name}" is ${status}.`, fix: 'See "agov agent list".' });
    }
    return record(name, { ...body, tier: body.tier ?? agent.tier });
  }

  async function refuseStopped(name: string): Promise<void> {
    const found = [foldFleet(ledger, name).others.get(name), await registry.get(name)].find(
      (agent) => agent !== undefined && agent.status !== 'active',
    );
    if (!found) return;
    throw new AgovError('CONFLICT', {
      what: `Agent "${name}" is ${found.status} on another host${found.reason ? `: ${found.reason}` : ''}.`,
      why: 'To add it here would lift that.',
      fix: found.status === 'frozen' ? 'Thaw it where it was frozen, then add it here.' : 'Choose another name.',
    });
  }

  return {
    get,
    reconcile: () => reconcileFleet(ledger, registry),
    async list() {
      const told = new Map((await registry.list()).map((agent) => [agent.name, agent]));
      const agents = [...foldAgents(ledger)].sort(([a], [b]) => (a < b ? -1 : 1));
      return agents.map(([name, agent]) => atMost(agent, told.get(name)));
    },
    async elsewhere() {
      const mine = foldAgents(ledger);
      return (await registry.list()).filter(({ name }) => !mine.has(name));
    },
    async add(name, tier, by) {
      const parsed = nameSchema.safeParse(name);
      if (!parsed.success) {
        const why = parsed.error.issues[0]?.message ?? 'it does not fit';
        throw new AgovError('INPUT_INVALID', {
          what: `"${name.slice(0, 80)}" cannot be an agent's name.`,
          why: `Please ${why}.`,
        });
      }
      refuseByHand(tier);
      if (foldAgents(ledger, name).has(name)) {
        throw new AgovError('CONFLICT', {
          what: `There is an agent "${name}" already.`,
          why: 'A name is never given twice, so that the record stays unambiguous.',
          fix: 'Choose another name, or see "agov agent show".',
        });
      }
      await refuseStopped(name);
      return record(name, { step: 'added', tier, ...by }, `agent:${name}`);
    },
    async move(name, to, by, reason) {
      refuseByHand(to);
      const { tier } = await get(name);
      if (tier === to) throw new AgovError('CONFLICT', { what: `Agent "${name}" is at ${to} already.` });
      const up = tierLevel(to) > tierLevel(tier);
      return step(name, ['active'], { step: up ? 'promoted' : 'demoted', tier: to, ...by, reason });
    },
    freeze: (name, by, reason) => step(name, ['active'], { step: 'frozen', ...by, reason }),
    thaw: (name, by, reason) => step(name, ['frozen'], { step: 'thawed', ...by, reason }),
    retire: (name, by, reason) => step(name, ['active', 'frozen'], { step: 'retired', ...by, reason }),
    revoke: (name, by, reason) => step(name, ['active', 'frozen', 'retired'], { step: 'revoked', ...by, reason }),
  };
}

/**
 * Appends the step, and gives the record as it is after it. It appends before it first waits, so that the steps of many
 * agents share one commit.
 */
export async function appendStep(ledger: Ledger, of: StepOf, body: AgentBody, claim?: string): Promise<AgentRecord> {
  const { at } = await ledger.append({
    kind: 'agent',
    agent: of.name,
    tier: body.tier,
    body: body satisfies JsonObject,
    ...(claim ? { claim } : {}),
  });
  return applyStep(of.before, of.name, body, Date.parse(at));
}

interface StepOf {
  readonly name: string;
  readonly before: AgentRecord | undefined;
}

/** @throws INPUT_INVALID */
function refuseByHand(tier: Tier): void {
  if (tierLevel(tier) <= tierLevel('T2')) return;
  throw new AgovError('INPUT_INVALID', {
    what: `Nobody is made ${tier} by hand.`,
    why: 'T3 and T4 are earned by promotion, from evidence.',
    fix: 'Choose T0, T1 or T2.',
  });
}
