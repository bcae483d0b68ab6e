/**
 * What a member has finished under a driver that died: its outcome is on record, so that it is not done again. Only of an
 * attempt that ended as unknown: one that is tried again on purpose begins anew.
 */
import type { Artifacts } from '../../../governance/evidence/index.ts';
import type { Channel } from '../../../governance/governor/index.ts';
import type { Ledger } from '../../../governance/ledger/index.ts';
import { sha256Hex } from '../../../kernel/index.ts';
import type { Entry } from '../../../schemas/index.ts';
import type { ChildEnd } from '../children/index.ts';
import type { Task } from '../strategies/index.ts';

interface Parts {
  readonly ledger: Ledger;
  readonly artifacts: Artifacts;
}

export async function earlierEnd(
  parts: Parts,
  { run }: Channel,
  slot: string,
  { task }: Task,
): Promise<{ readonly name: string; readonly end: ChildEnd } | undefined> {
  const { ledger, artifacts } = parts;
  const intents = ledger.query({ kinds: ['intent'], run, limit: 10_000 });
  const same = intents.filter(
    ({ body }) =>
      body['action'] === 'agent.spawn' && argsOf(body)['slot'] === slot && argsOf(body)['task'] === sha256Hex(task),
  );
  for (const intent of same.reverse()) {
    const outcome = outcomeOf(ledger, intent.id);
    if (outcome?.body['status'] !== 'ok' || !diedAbove(ledger, intent)) continue;
    const kept = outcome.artifacts?.find(({ name }) => name === 'result.json');
    if (!kept) continue;
    const facts = outcome.body['facts'] as { readonly child?: string }; // written by this part alone
    // By this part alone, and found by its digest.
    const end = JSON.parse((await artifacts.get(kept.sha256)).toString('utf8')) as ChildEnd;
    return { name: facts.child ?? '', end };
  }
  return undefined;
}

/** Whether what stands over it, up to the team's own intent, was cut off. */
function diedAbove(ledger: Ledger, { parent = '' }: Entry): boolean {
  const above = ledger.byId(parent);
  return above?.kind === 'intent' && outcomeOf(ledger, above.id)?.body['status'] === 'unknown';
}

function outcomeOf(ledger: Ledger, id: string): Entry | undefined {
  return ledger.query({ kinds: ['outcome'], parent: id, limit: 1 })[0];
}

function argsOf(body: Entry['body']): Readonly<Record<string, unknown>> {
  return (body['args'] ?? {}) as Readonly<Record<string, unknown>>; // of an intent, by its schema
}
