export { type AgentOperations, createOperations } from './create.ts';
export { type ContextSeat, contextOperations } from './groups/context/index.ts';
export { answerOf, defineOperation, notAllowed, type Operation, type Seat } from './operation.ts';
export type { OperationParts } from './parts.ts';
export { runSlots, type Slots, tooMany } from './slots.ts';
