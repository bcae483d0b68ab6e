/**
 * What a kill ends of approvals: those that its agent or its run had asked for. Their hash knows no run, so that a consent
 * given for one that was killed would otherwise serve the next run that wants the same.
 */
import { isAgovError } from '../../kernel/index.ts';
import type { Entry } from '../../schemas/index.ts';
import type { Ledger } from '../ledger/index.ts';

export interface EndedBy {
  readonly operator: string;
  readonly user: string;
  readonly reason: string;
}

export interface EndedOf {
  readonly agents: ReadonlySet<string>;
  readonly run?: string | undefined;
}

/** The approvals that it closed. Appends before it first waits, so that the ends share the commit of the order. */
export async function endApprovals(ledger: Ledger, of: EndedOf, by: EndedBy): Promise<readonly Entry[]> {
  const concerns = ({ agent, run }: Entry): boolean =>
    (agent !== undefined && of.agents.has(agent)) || (run !== undefined && run === of.run);
  const asked = ledger
    .openIds()
    .map((id) => ledger.byId(id))
    .filter((entry) => entry !== undefined)
    .filter((entry) => entry.kind === 'approval' && concerns(entry));
  const ended = await Promise.all(asked.map((entry) => end(ledger, entry, by)));
  return asked.filter((_, i) => ended[i]);
}

async function end(ledger: Ledger, { id, agent, run }: Entry, by: EndedBy): Promise<boolean> {
  const of = { ...(agent ? { agent } : {}), ...(run ? { run } : {}) };
  try {
    const { operator, user, reason } = by;
    const body = { step: 'ended', operator, user, reason };
    await ledger.append({ kind: 'approval', parent: id, ...of, body, closes: id });
    return true;
  } catch (error) {
    if (isAgovError(error, 'LEDGER_CLAIMED')) return false; // used, denied or expired at this very moment: closed all the same
    throw error;
  }
}
