/** An agent comes to be by the act of another: its place in the ledger and the registry, and its end there. */
import type { State } from '../../../adapters/state/port.ts';
import type { Handed } from '../../../governance/delegation/index.ts';
import type { Ledger } from '../../../governance/ledger/index.ts';
import { foldFleet } from '../../../governance/standing/index.ts';
import { isAgovError, type JsonObject } from '../../../kernel/index.ts';
import type { Tier } from '../../../schemas/index.ts';
import { type OperatorAct, putActs, type Roster } from '../../agents/index.ts';
import { withFreeName } from './names.ts';

export interface Newborn {
  readonly tier: Tier;
  readonly role: string;
  readonly handed: Handed;
  readonly by: OperatorAct;
  readonly budget: (name: string) => Promise<string | undefined>;
}

interface RegisterParts {
  readonly ledger: Ledger;
  readonly state: State;
}

/** Its name, and what it spends from. In the ledger first: an agent that only the registry knows may do nothing. */
export async function register(
  { ledger, state }: RegisterParts,
  { tier, role, handed, by, budget: openBudget }: Newborn,
): Promise<{ readonly name: string; readonly budget: string | undefined }> {
  const { parent, run, intent } = handed;
  const made = await withFreeName({ state }, parent, role, async (name) => {
    const budget = await openBudget(name);
    const given: Handed = { ...handed, ...(budget === undefined ? {} : { budget }) };
    const body = { step: 'spawned', tier, ...by, handed: given };
    await ledger.append({
      ...{ kind: 'agent', agent: name, run, parent: intent, tier, claim: `agent:${name}` },
      body: body as unknown as JsonObject, // JSON by its schema
    });
    return { name, budget };
  });
  const record = foldFleet(ledger, made.name).agents.get(made.name);
  if (record) await putActs(ledger, state.registry, [record]);
  return made;
}

/** What was ended by somebody else meanwhile stays as it is. */
export async function retireChild(roster: Roster, name: string, by: OperatorAct, reason: string): Promise<void> {
  await roster.retire(name, by, reason.slice(0, 2000)).catch((error: unknown) => {
    if (!isAgovError(error, 'CONFLICT')) throw error;
  });
}

/** Those whose driver is gone: the intents that would tell what came of them were settled as unknown. How many. */
export async function retireOrphans(ledger: Ledger, roster: () => Promise<Roster>): Promise<number> {
  const { agents, handed } = foldFleet(ledger);
  const open = new Set(ledger.openIds());
  let ended = 0;
  for (const [name, { intent, parent }] of handed) {
    const agent = agents.get(name);
    if (open.has(intent) || !agent || (agent.status !== 'active' && agent.status !== 'frozen')) continue;
    const by = { operator: agent.operator, user: `agent ${parent}` };
    await retireChild(await roster(), name, by, 'What drove it is gone; what it did is unknown.');
    ended += 1;
  }
  return ended;
}
