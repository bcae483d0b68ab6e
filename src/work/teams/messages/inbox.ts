/**
 * An agent's messages, read from the ledger, which is where they were sent: whoever can write to the state server can
 * neither forge one nor lose one, and a reader that begins anew finds them all.
 */
import type { State } from '../../../adapters/state/port.ts';
import type { Artifacts } from '../../../governance/evidence/index.ts';
import type { Channel, Governor } from '../../../governance/governor/index.ts';
import type { Ledger } from '../../../governance/ledger/index.ts';
import type { Standings } from '../../../governance/standing/index.ts';
import type { Env, Json } from '../../../kernel/index.ts';
import type { Entry } from '../../../schemas/index.ts';

export interface InboxParts {
  readonly env: Env;
  readonly governor: Governor;
  readonly ledger: Pick<Ledger, 'query' | 'byId'>;
  readonly artifacts: Artifacts;
  readonly standings: Standings;
  readonly state: State;
}

export interface Message {
  /** Of its outcome in the ledger: where the reader goes on. */
  readonly seq: number;
  readonly from: string;
  readonly at: string;
  readonly text?: string;
  readonly data?: Json;
}

/** What its outcome says. */
export interface MessageFacts {
  /** Digest of what was written. */
  readonly message: string;
  readonly kind: 'text' | 'data';
}

export const mostBytes = 16_384;
/** To one reader in one run. */
export const mostWaiting = 1000;
const page = 1000;
const mostAtOnce = 50;

/** `seen`: the number up to which there is nothing but these. */
export async function inboxOf(
  parts: Pick<InboxParts, 'ledger' | 'artifacts'>,
  { agent, run }: Channel,
  after: number,
): Promise<{ readonly messages: Message[]; readonly more: boolean; readonly seen: number }> {
  const messages: Message[] = [];
  for (let from = after; ; ) {
    const entries = parts.ledger.query({ kinds: ['outcome'], run, after: from, limit: page });
    for (const entry of entries) {
      if (messages.length >= mostAtOnce) return { messages, more: true, seen: from };
      from = entry.seq;
      const sent = sentIn(parts.ledger, entry);
      if (sent?.to === agent) messages.push(await read(parts.artifacts, entry, sent));
    }
    if (entries.length < page) return { messages, more: false, seen: from };
  }
}

export interface Sent extends MessageFacts {
  readonly from: string;
  readonly to: string;
}

/** The intent above it says whether it was one, and to whom: the outcome of another act may hold any words. */
export function sentIn(ledger: Pick<Ledger, 'byId'>, { parent = '', body, agent }: Entry): Sent | undefined {
  const { status, facts } = body as { readonly status?: string; readonly facts?: Partial<MessageFacts> };
  if (status !== 'ok' || typeof facts?.message !== 'string' || agent === undefined) return undefined;
  const intent = ledger.byId(parent);
  if (intent?.kind !== 'intent' || intent.body['action'] !== 'agent.message') return undefined;
  return {
    message: facts.message,
    kind: facts.kind === 'data' ? 'data' : 'text',
    from: agent,
    to: String(intent.body['resource']),
  };
}

async function read(artifacts: Artifacts, { seq, at }: Entry, { from, message, kind }: Sent): Promise<Message> {
  const content = (await artifacts.get(message)).toString('utf8');
  return { seq, from, at, ...(kind === 'text' ? { text: content } : { data: JSON.parse(content) as Json }) };
}
