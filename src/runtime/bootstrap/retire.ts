/** Agents that are no longer needed: retired in the ledger, and then in what gave them their identity. */
import type { Retired } from '../../adapters/authority/port.ts';
import { endRetired, retiring } from '../../work/agents/index.ts';
import type { Why } from '../lifecycle/index.ts';
import { type Enrolled, finishing, type StandingParts } from './standing.ts';

/** Also finishes a retirement that was cut short. What it runs may end. @throws NOT_FOUND, CONFLICT */
export async function retireAgent(parts: StandingParts, name: string, { by, reason }: Why): Promise<Enrolled> {
  const { roster, ledger } = parts;
  const unfinished = retiring(ledger).some((one) => one.name === name) && (await parts.identities()) !== undefined;
  const agent = unfinished ? await roster.get(name) : await roster.retire(name, by, reason);
  let retired: Retired | undefined;
  await finishing(agent, 'retired', async () => {
    const identities = await parts.identities();
    if (identities) retired = await endRetired({ ledger, identities }, agent, by);
  });
  return { agent, ...(retired ? { retired } : {}) };
}

/** Ends what is left of the identities of retired agents; how many have ended. */
export async function finishRetirements({ ledger, identities }: Omit<StandingParts, 'roster' | 'stopMoved'>) {
  const left = retiring(ledger);
  const authority = left.length === 0 ? undefined : await identities();
  let ended = 0;
  for (const agent of authority ? left : []) {
    if (authority && (await endRetired({ ledger, identities: authority }, agent, undefined)).live === 0) ended += 1;
  }
  return ended;
}
