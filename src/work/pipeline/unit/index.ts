export { commandOf, createPerform, type Perform } from './command.ts';
export { expandStage } from './expand.ts';
export { type Answer, runUnit, type UnitEnd, type UnitParts } from './run.ts';
