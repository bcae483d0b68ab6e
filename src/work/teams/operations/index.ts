/** What agents may ask besides what every asker may: about those below them, and each other. */
import type { Operation, Seat } from '../../agents/index.ts';
import type { InboxParts } from '../messages/inbox.ts';
import { type ChildOperationParts, childOperations } from './children.ts';
import { messageOperations } from './messages.ts';

export interface TeamSeat {
  readonly operations: readonly Operation[];
  /** Ends what was started over it. */
  release(): Promise<void>;
}

export type TeamOperationParts = ChildOperationParts & InboxParts;

export function teamOperations(parts: TeamOperationParts, seat: Seat): readonly Operation[] {
  return [...childOperations(parts, seat), ...messageOperations(parts, seat)];
}
