/** A function that waits for operators: what it asked for must be its own, and it is begun anew after the consent. */
import type { Approvals } from '../../../../governance/approvals/index.ts';
import type { Acted, BeginOptions, Channel } from '../../../../governance/governor/index.ts';
import type { Ledger } from '../../../../governance/ledger/index.ts';
import type { Decision } from '../../../../schemas/index.ts';
import type { AgentResult } from '../types.ts';
import type { Waits } from './talk.ts';

export interface WaitingParts {
  readonly ledger: Ledger;
  readonly approvals: Approvals;
}

/** The question that it waits for; undefined where there is none of its own, or it was answered meanwhile. */
export function questionOf(
  { ledger, approvals }: WaitingParts,
  { agent, run }: Channel,
  { approval: id, intent }: Waits,
): Exclude<Acted<AgentResult>, { verdict: 'allow' | 'deny' }> | undefined {
  const approval = approvals.pending().find((one) => one.id === id && one.agent === agent);
  const entry = ledger.byId(intent);
  // An agent that could hand in what another asked for would have the operators of its run consent to it.
  if (!approval || entry?.kind !== 'intent' || entry.agent !== agent || entry.run !== run) return undefined;
  const decision = entry.body['decision'] as unknown as Decision; // written by the governor alone
  if (decision.verdict !== 'ask' || entry.body['approval'] !== id) return undefined;
  return { verdict: 'ask', id: intent, decision, approval };
}

/** Whether what a gate asked for was given to an earlier beginning, which waits. */
export function hasWaited({ ledger }: WaitingParts, { agent, run }: Channel, { parent }: BeginOptions): boolean {
  if (parent === undefined) return false;
  const last = ledger
    .query({ kinds: ['intent'], agent, run, parent })
    .filter(({ body }) => (body['decision'] as unknown as Decision).verdict === 'allow')
    .at(-1);
  const outcome = last && ledger.query({ kinds: ['outcome'], parent: last.id })[0];
  return (outcome?.body['facts'] as { readonly end?: unknown } | undefined)?.end === 'parked'; // by the governor's schema
}
