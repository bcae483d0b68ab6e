/** What a run has done so far, for rules over more than the call at hand. Folded from the ledger, then kept up. */
import type { Action, Decision, Entry } from '../../schemas/index.ts';
import { everyEntry, type Ledger } from '../ledger/index.ts';
import type { Question } from '../policy/index.ts';

export type Session = Question['session'];

const fresh: Session = { intents: 0, denials: 0, secretReads: 0, netRequests: 0 };

export interface Sessions {
  of(run: string): Session;
  /** Call after the intent is in the ledger. */
  add(run: string, action: Action, verdict: Decision['verdict']): void;
}

/** Remembers at most `keep` runs; the others are folded again when they come back. */
export function ledgerSessions(ledger: Ledger, keep = 1000): Sessions {
  const known = new Map<string, Session>();

  const remember = (run: string, session: Session): Session => {
    known.delete(run);
    known.set(run, session);
    const oldest = known.keys().next();
    if (known.size > keep && !oldest.done) known.delete(oldest.value);
    return session;
  };
  const of = (run: string): Session => known.get(run) ?? remember(run, fold(ledger, run));

  return {
    of,
    add(run, action, verdict) {
      remember(run, advance(of(run), action, verdict));
    },
  };
}

function fold(ledger: Ledger, run: string): Session {
  let session = fresh;
  for (const entry of everyEntry(ledger, { kinds: ['intent'], run })) session = advanceByEntry(session, entry);
  return session;
}

function advanceByEntry(session: Session, entry: Entry): Session {
  const { action, decision } = entry.body as { action: Action; decision: Decision }; // written by this part alone
  return advance(session, action, decision.verdict);
}

function advance(session: Session, action: Action, verdict: Decision['verdict']): Session {
  const allowed = verdict === 'allow';
  return {
    intents: session.intents + 1,
    denials: session.denials + (verdict === 'deny' ? 1 : 0),
    secretReads: session.secretReads + (allowed && action === 'secret.read' ? 1 : 0),
    netRequests: session.netRequests + (allowed && action === 'net.request' ? 1 : 0),
  };
}
