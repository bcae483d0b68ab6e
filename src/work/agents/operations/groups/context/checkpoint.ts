import { z } from 'zod';
import { defineOperation, type Operation } from '../../operation.ts';
import type { ContextSeat } from './seat.ts';

const text = z.string().min(1).max(16_384);

export function checkpointOperations({ checkpoints }: ContextSeat): readonly Operation[] {
  return [
    defineOperation({
      name: 'checkpoint.now',
      description: 'Keep where your work stands: files in flight, status, memory, your notes and next steps.',
      input: z.strictObject({
        notes: text.optional().describe('What whoever goes on should know.'),
        next: z.array(text).max(20).optional().describe('Next steps, the first one first.'),
        tag: z.string().min(1).max(64).optional().describe('A name to find it by.'),
      }),
      output: z.strictObject({
        id: z.string(),
        at: z.string(),
        files: z.int().describe('Files in flight.'),
        missing: z.array(z.strictObject({ part: z.string(), why: z.string() })),
      }),
      async perform({ notes, next, tag }) {
        const { about, files, missing } = await (await checkpoints()).now({
          ...(notes === undefined ? {} : { notes }),
          ...(next === undefined ? {} : { next }),
          ...(tag === undefined ? {} : { tag }),
        });
        return { id: about.id, at: about.at, files, missing: [...missing] };
      },
    }),
    defineOperation({
      name: 'checkpoint.load',
      description:
        'Be told where you left off, within a number of tokens: the newest checkpoint with what stands now, or the one named as it was then.',
      input: z.strictObject({
        id: z.string().min(1).max(64).optional().describe('Its id, some characters of it, or its tag.'),
        budget: z.int().min(100).max(200_000).default(2000).describe('Tokens at most.'),
      }),
      output: z.strictObject({
        text: z.string(),
        tokens: z.int(),
        checkpoint: z.string().optional().describe('Its id; left out where there is none.'),
        leftOut: z.array(z.strictObject({ what: z.string(), count: z.int(), see: z.string() })),
      }),
      async perform({ id, budget }) {
        const { text: told, tokens, about, leftOut } = await (await checkpoints()).brief(id, budget);
        const checkpoint = about ? { checkpoint: about.id } : {};
        return { text: told, tokens, leftOut: leftOut.map((one) => ({ ...one })), ...checkpoint };
      },
    }),
  ];
}
