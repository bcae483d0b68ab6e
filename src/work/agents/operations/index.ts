export { type AgentOperations, createOperations } from './create.ts';
export type {
  Operation,
  Seat,
} from './operation.ts';
export type { OperationParts } from './parts.ts';
export { runSlots, type Slots, tooMany } from './slots.ts';
