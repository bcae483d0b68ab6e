/** What stands between a unit that may start and its attempt: its gate, but for the people, and its locks. */
export { type AtGate, type Awaiting, atGate } from './gate.ts';
export { type Grip, type GripParts, type HeldBack, openGrip } from './grip.ts';
