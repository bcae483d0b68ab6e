/** A conversation that waits for an approval: found in the record by what it belongs to, with exactly the bytes it was left with. */
import { z } from 'zod';
import type { ModelMessage } from '../../../adapters/models/port.ts';
import type { Artifacts } from '../../../governance/evidence/index.ts';
import type { BeginOptions, Channel } from '../../../governance/governor/index.ts';
import type { Ledger } from '../../../governance/ledger/index.ts';
import type { Decision } from '../../../schemas/index.ts';
import type { Talk } from './types.ts';

const countSchema = z.int().min(0);
const talkSchema = z.strictObject({
  messages: z.array(z.looseObject({ role: z.enum(['system', 'user', 'assistant', 'tool']) })),
  steps: countSchema,
  spent: z.strictObject({ tokens: countSchema, moneyMicros: countSchema }),
  history: z.array(z.string()),
  reminders: countSchema,
  mark: z.string(),
});

export interface Parked {
  readonly talk: Talk;
  readonly sha256: string;
}

/** Undefined where this agent has begun nothing there, or where that has ended. */
export async function findParked(
  { ledger, artifacts }: { readonly ledger: Ledger; readonly artifacts: Artifacts },
  { agent, run }: Channel,
  { parent }: BeginOptions,
): Promise<Parked | undefined> {
  const intents = ledger.query({ kinds: ['intent'], agent, run, ...(parent === undefined ? {} : { parent }) });
  const last = intents
    .filter((entry) => entry.parent === parent && entry.body['action'] === 'model.call')
    .filter(({ body }) => (body['decision'] as Decision).verdict === 'allow') // written by the governor alone
    .at(-1);
  const outcome = last && ledger.query({ kinds: ['outcome'], parent: last.id })[0];
  const facts = outcome?.body['facts'] as { readonly end?: unknown } | undefined; // by the governor's schema
  const kept = outcome?.artifacts?.find(({ name }) => name === 'conversation.json');
  if (facts?.end !== 'parked' || !kept) return undefined;
  const { messages, ...rest } = talkSchema.parse(JSON.parse((await artifacts.get(kept.sha256)).toString('utf8')));
  // Its bytes are those that this part wrote, by their digest.
  return { talk: { ...rest, messages: messages as unknown as ModelMessage[] }, sha256: kept.sha256 };
}
