export { type RunBody, type StageBody, type Unit, unitKey, type Worker } from './entries.ts';
export { readRun } from './fold.ts';
export { openJournal, type RunJournal, type Written } from './live.ts';
export {
  emptyRun,
  pendingStage,
  type RunState,
  type Signal,
  type StageState,
  stateOf,
  type Touched,
  unitsOf,
} from './state.ts';
export { type RunChange, type RunWatch, watchRun } from './watch.ts';
