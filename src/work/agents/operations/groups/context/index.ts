/** What an agent may ask to find its feet again: its own memory, its own checkpoints, the status of where it works. */
import type { Operation } from '../../operation.ts';
import { checkpointOperations } from './checkpoint.ts';
import { memoryOperations } from './memory.ts';
import type { ContextSeat } from './seat.ts';
import { statusOperations } from './status.ts';
import { viewOperations } from './views.ts';

export type { ContextSeat } from './seat.ts';

export function contextOperations(seat: ContextSeat): readonly Operation[] {
  return [...memoryOperations(seat), ...checkpointOperations(seat), ...statusOperations(seat), ...viewOperations(seat)];
}
