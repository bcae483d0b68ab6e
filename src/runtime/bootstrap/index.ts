export { readInvitation, reserveInvitation } from './invitation-file.ts';
export { type LayoutReport, mendLayout } from './layout.ts';
export { identifyOperator } from './operator.ts';
export { finishRetirements, retireAgent } from './retire.ts';
export { addAgent, enrollAgent, inviteAgent, type Moved, moveAgent, type StandingParts } from './standing.ts';
