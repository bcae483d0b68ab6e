export { type ChorePace, type ChoreParts, choresOf } from './chores.ts';
export { type HeldProject, type Holder, holdProject, readHolder } from './lock.ts';
export { type Chore, type ChoreEvent, type ChoreStatus, type Chores, startChores } from './loop.ts';
export { type ServeStatus, unready } from './status.ts';
