/**
 * The end of a retired agent's identity outside of agov. What runs may end, so that live tokens serve to the end of their
 * command; whoever ends the last of them, or looks later, finishes it.
 */
import type { Identities, Retired } from '../../../../adapters/authority/port.ts';
import type { AgentRecord } from '../../../../adapters/state/port.ts';
import type { Ledger } from '../../../../governance/ledger/index.ts';
import { foldAgents, type OperatorAct } from '../../roster/index.ts';

export interface RetirementParts {
  readonly ledger: Ledger;
  readonly identities: Pick<Identities, 'retire'>;
}

/** As far as its live tokens let it. On record is what has come of it since the last time. */
export async function endRetired(
  { ledger, identities }: RetirementParts,
  { name, tier }: AgentRecord,
  by: OperatorAct | undefined,
): Promise<Retired> {
  const retired = await identities.retire(name);
  const step = retired.live === 0 ? 'retired' : 'retiring';
  if (newestStep(ledger, name) === step) return retired;
  await ledger.append({ kind: 'authority', agent: name, tier, body: { ...by, step, tokens: retired.live } });
  return retired;
}

/** Retired agents whose identity may not have ended yet. */
export function retiring(ledger: Ledger): readonly AgentRecord[] {
  return [...foldAgents(ledger).values()].filter((agent) => isRetiring(ledger, agent));
}

/** After the last of an agent's commands that were under way when it was retired. */
export async function afterCredential(parts: RetirementParts, name: string): Promise<void> {
  const agent = foldAgents(parts.ledger, name).get(name);
  if (agent && isRetiring(parts.ledger, agent)) await endRetired(parts, agent, undefined);
}

function isRetiring(ledger: Ledger, { name, status }: AgentRecord): boolean {
  return status === 'retired' && newestStep(ledger, name) !== 'retired';
}

function newestStep(ledger: Ledger, agent: string): unknown {
  return ledger.query({ kinds: ['authority'], agent, newestFirst: true, limit: 1 })[0]?.body['step'];
}
