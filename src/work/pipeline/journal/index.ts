export { type RunBody, type StageBody, type Unit, unitKey } from './entries.ts';
export { pendingStage, type RunState, readRun, type StageState } from './state.ts';
