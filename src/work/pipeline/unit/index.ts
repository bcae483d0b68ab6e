export { openRunBudget, purseSchema } from './budget.ts';
export { type CommandJob, commandOf, consentOptions, createPerform, type Perform, type Performed } from './command.ts';
export { expandStage } from './expand.ts';
export { type KeepParts, keepArtifacts } from './kept/index.ts';
export { type Answer, runUnit, type UnitEnd, type UnitParts } from './run.ts';
