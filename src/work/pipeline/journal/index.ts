export { type RunBody, type StageBody, type Unit, unitKey } from './entries.ts';
export { emptyRun, pendingStage, type RunState, readRun, type StageState, stateOf, unitsOf } from './state.ts';
