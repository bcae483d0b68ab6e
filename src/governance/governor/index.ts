export { isInside, type World, whereItLeads } from './facts.ts';
export { createGovernor, type GovernorParts, type Limits } from './governor.ts';
export { governorMark, governorMarkSchema, mayLive, processStart } from './liveness.ts';
export { recordPolicy } from './policy-record.ts';
export { settleOpenIntents } from './settle.ts';
export type { Acted, BeginOptions, Begun, Channel, EarlyOutcome, Effected, End, Governor } from './types.ts';
