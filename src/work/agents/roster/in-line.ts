/**
 * The registry brought in line with this host's ledger, and the ledger with what other hosts have ended. Several hosts
 * share a registry and each has a ledger of its own: what this one does not know is theirs, and is left alone.
 */
import type { AgentRecord, Registry } from '../../../adapters/state/port.ts';
import type { Ledger } from '../../../governance/ledger/index.ts';
import { foldFleet, foldKilledRuns } from '../../../governance/standing/index.ts';
import { canonicalJson, isAgovError, type JsonObject } from '../../../kernel/index.ts';

/**
 * Both directions, the number of records that differed. Whatever cuts it short must not leave undone what was on record:
 * what may not act comes first.
 */
export async function reconcileFleet(ledger: Ledger, registry: Registry): Promise<number> {
  const killed = new Set(foldKilledRuns(ledger).map(({ run }) => run));
  const stopped = await registry.stoppedRuns();
  const marked = new Set(stopped.map(({ run }) => run));
  let changed = 0;
  for (const mark of foldKilledRuns(ledger)) {
    if (marked.has(mark.run)) continue;
    await registry.stopRun(mark);
    changed += 1;
  }

  const have = new Map((await registry.list()).map((agent) => [agent.name, agent]));
  const { agents, others } = foldFleet(ledger);
  const wanted = [...agents, ...others].sort(
    ([, a], [, b]) => Number(a.status === 'active') - Number(b.status === 'active'),
  );
  for (const [name, agent] of wanted) {
    if (!mustPut(agent, have.get(name), !agents.has(name))) continue;
    if (await bringInLine(ledger, registry, name)) changed += 1;
  }

  for (const { run, reason } of stopped) {
    if (killed.has(run) || ledger.query({ run, limit: 1 }).length === 0) continue;
    const body = { step: 'ordered', deed: 'kill', operator: 'another-host', reason, told: true };
    if (await recordTold(ledger, { kind: 'kill', run, body, claim: `told-stopped:${run}` })) changed += 1;
  }
  for (const [name, { tier, status }] of agents) {
    const told = have.get(name);
    if (told?.status !== 'revoked' || status === 'revoked') continue;
    const reason = told.reason ?? 'no reason was told';
    const body = { step: 'revoked', tier, operator: told.operator, user: 'another-host', reason, told: true };
    if (await recordTold(ledger, { kind: 'agent', agent: name, tier, body, claim: `told-revoked:${name}` }))
      changed += 1;
  }
  return changed;
}

/**
 * Where the registry has an older word than the ledger, or none. Another process may record a step between our look and
 * our put: what counts is the ledger after the put. Whether anything was written.
 */
export async function bringInLine(ledger: Ledger, registry: Registry, name: string): Promise<boolean> {
  for (let wrote = false; ; wrote = true) {
    const have = await registry.get(name);
    const { agents, others } = foldFleet(ledger, name);
    const wanted = agents.get(name) ?? others.get(name);
    if (!wanted || !mustPut(wanted, have, !agents.has(name))) return wrote;
    await registry.put(wanted);
  }
}

/** After an operator's act here, which is the newest whatever times the registry tells; an end stays an end. */
export async function putActs(ledger: Ledger, registry: Registry, records: readonly AgentRecord[]): Promise<void> {
  const ended = new Set(
    records.every(({ status }) => status === 'revoked')
      ? []
      : (await registry.list()).filter(({ status }) => status === 'revoked').map(({ name }) => name),
  );
  await registry.putAll(records.filter(({ name, status }) => status === 'revoked' || !ended.has(name)));
  for (const { name, status } of records) if (status !== 'revoked') await bringInLine(ledger, registry, name);
}

/** Nothing comes after a revocation, whoever ordered it; otherwise the newer act counts. */
function mustPut(wanted: AgentRecord, have: AgentRecord | undefined, elsewhere: boolean): boolean {
  // One that only other hosts know is brought back by them.
  if (!have) return !elsewhere || wanted.status !== 'active';
  if (have.status === 'revoked') return false;
  if (wanted.status === 'revoked') return true;
  return have.changedAt <= wanted.changedAt && canonicalJson(have) !== canonicalJson(wanted);
}

interface Told {
  readonly kind: 'agent' | 'kill';
  readonly agent?: string;
  readonly run?: string;
  readonly tier?: AgentRecord['tier'];
  readonly body: JsonObject;
  readonly claim: string;
}

/** So that it stays ended when the server forgets it. By its claim once, however many processes are told. */
async function recordTold(ledger: Ledger, told: Told): Promise<boolean> {
  try {
    await ledger.append(told);
    return true;
  } catch (error) {
    // A command that only reads must not fail for it: as long as the registry says so it is denied, and the next start records it.
    if (isAgovError(error)) return false;
    throw error;
  }
}
