export { type DriveParts, drive, type Halt } from './drive.ts';
export { graphLines, graphMermaid } from './graph.ts';
export { driveInTurn, type TurnParts, turnOf } from './group/index.ts';
export {
  pendingStage,
  type RunChange,
  type RunState,
  type RunWatch,
  readRun,
  type StageState,
  stateOf,
  type Unit,
  unitKey,
  unitsOf,
  watchRun,
} from './journal/index.ts';
export {
  ancestorsOf,
  checkTemplates,
  isMany,
  type Known,
  levelsOf,
  mustParse,
  type ParseResult,
  parseKept,
  parsePipeline,
  pipelineUsing,
  projectTemplates,
  readGiven,
  readParameters,
  readShipped,
  shippedTemplates,
  type TemplateFiles,
  templatesIn,
  usesOf,
} from './language/index.ts';
export {
  type Outlook,
  type OutlookUnit,
  outlookOf,
  outlookOfRetry,
  outlookOfRun,
  outlookUnits,
  wantedLocks,
} from './outlook.ts';
export { type PlannedUnit, type PlanParts, planPipeline } from './plan.ts';
export { listRuns, type RunReport, reportRun } from './report.ts';
export { cancelRun, type LookedAt, resumable, resumeRun, retryRun, stagesAgain, startRun } from './runs.ts';
export { type Event, signalRun } from './signal.ts';
export {
  type Answer,
  type CommandJob,
  createPerform,
  type KeepParts,
  keepArtifacts,
  type Perform,
  type Performed,
  purseSchema,
  type UnitEnd,
} from './unit/index.ts';
