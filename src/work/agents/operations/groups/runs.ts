/** What runs now: an agent that is to clean up must know what is still somebody’s. */
import { z } from 'zod';
import { isoTime } from '../../../../kernel/index.ts';
import { answerOf, defineOperation, notAllowed, type Operation, type Seat } from '../operation.ts';
import type { OperationParts } from '../parts.ts';

const mostListed = 1000;

export function runOperations({ governor, state }: OperationParts, { channel, parent }: Seat): readonly Operation[] {
  return [
    defineOperation({
      name: 'runs',
      description: 'Which runs have a process now, and of which agent.',
      input: z.strictObject({}),
      output: answerOf({
        runs: z.array(z.strictObject({ agent: z.string(), run: z.string(), since: z.string(), mine: z.boolean() })),
        more: z.boolean(),
      }),
      async perform() {
        const look = async () => ({
          outcome: { status: 'ok' as const, facts: {} },
          value: await state.registry.liveRuns(),
        });
        const intent = { action: 'state.read', resource: 'runs', args: {} } as const;
        const acted = await governor.act(channel, intent, look, { parent });
        if (acted.verdict !== 'allow') return notAllowed(acted);
        const seen = new Map(acted.value.map((one) => [one.run + one.agent, one]));
        const runs = [...seen.values()].slice(0, mostListed).map(({ agent, run, startedAt }) => ({
          ...{ agent, run, since: isoTime(startedAt), mine: run === channel.run },
        }));
        return { verdict: acted.verdict, intent: acted.id, runs, more: seen.size > mostListed };
      },
    }),
  ];
}
