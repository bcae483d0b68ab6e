import { z } from 'zod';
import { phases } from '../../../../../schemas/index.ts';
import { defineOperation, type Operation } from '../../operation.ts';
import type { ContextSeat } from './seat.ts';

const task = z.string().min(1).max(500);

export function statusOperations({ updateStatus }: ContextSeat): readonly Operation[] {
  return [
    defineOperation({
      name: 'status.update',
      description: 'Say how the work in a directory stands, in its STATUS.md; what others wrote there stays.',
      input: z.strictObject({
        directory: z.string().min(1).max(1024).describe('From your workspace; `.` for all of it.'),
        phase: z.enum(phases).optional(),
        tasks: z.array(task).max(100).optional().describe('Tasks that are to be there.'),
        done: z.array(task).max(100).optional().describe('Tasks that are done, or how they begin.'),
        note: z.string().min(1).max(4000).optional(),
      }),
      output: z.strictObject({ path: z.string(), changed: z.boolean() }),
      async perform({ directory, phase, tasks, done, note }) {
        const { path, changed } = await updateStatus(directory, {
          ...(phase === undefined ? {} : { phase }),
          ...(tasks === undefined ? {} : { tasks }),
          ...(done === undefined ? {} : { done }),
          ...(note === undefined ? {} : { note }),
        });
        return { path: path || '.', changed };
      },
    }),
  ];
}
