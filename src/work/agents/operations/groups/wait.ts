/** Waiting for an operator: what has become of an approval that this agent's own asking opened. */
import { z } from 'zod';
import type { Approvals } from '../../../../governance/approvals/index.ts';
import type { Ledger } from '../../../../governance/ledger/index.ts';
import { AgovError } from '../../../../kernel/index.ts';
import { defineOperation, type Operation, type Seat } from '../operation.ts';
import type { OperationParts } from '../parts.ts';

const stateSchema = z.enum(['open', 'granted', 'denied', 'expired', 'closed']);
const lookEveryMs = 250;

export function waitOperations({ env, approvals, ledger }: OperationParts, { channel }: Seat): readonly Operation[] {
  return [
    defineOperation({
      name: 'wait',
      description: 'Wait until operators have answered an approval. When it is granted, ask for the same again.',
      input: z.strictObject({
        approval: z.string().min(1).max(64),
        timeoutMs: z.int().min(0).max(50_000).default(25_000).describe('Then the answer is "open": wait again.'),
      }),
      output: z.strictObject({
        state: stateSchema.describe('`closed`: it was used, or its run or agent was stopped.'),
        consents: z.int().describe('Operators who have consented, while it is open.'),
      }),
      async perform({ approval, timeoutMs }, signal) {
        const until = env.monotonic() + timeoutMs;
        for (;;) {
          const now = stateOf(approvals, ledger, approval, channel.agent);
          if (now.state !== 'open' || env.monotonic() >= until) return now;
          await env.sleep(Math.min(lookEveryMs, until - env.monotonic()), signal);
        }
      },
    }),
  ];
}

/** Others' approvals are as unknown as those that never were. @throws NOT_FOUND */
function stateOf(approvals: Approvals, ledger: Ledger, id: string, agent: string) {
  const pending = approvals.pending().find((one) => one.id === id && one.agent === agent);
  if (pending) {
    const consents = pending.operators.length;
    return { state: consents >= pending.quorum ? ('granted' as const) : ('open' as const), consents };
  }
  const entry = ledger.byId(id);
  if (entry?.kind !== 'approval' || entry.agent !== agent || entry.body['step'] !== 'asked') {
    throw new AgovError('NOT_FOUND', {
      what: `You have asked for no approval "${id}".`,
      fix: 'Give the id that came with the verdict "ask".',
    });
  }
  const [last] = ledger.query({ kinds: ['approval'], parent: id, newestFirst: true, limit: 1 });
  const step = last?.body['step'];
  const state = step === 'denied' ? 'denied' : step === 'granted' || step === 'ended' ? 'closed' : 'expired';
  return { state, consents: 0 } as const;
}
