export { type DriveParts, drive, type Halt } from './driving/drive.ts';
export { driveInTurn, type TurnParts, turnOf } from './driving/group/index.ts';
export { cancelRun, type LookedAt, resumable, resumeRun, retryRun, stagesAgain, startRun } from './driving/runs.ts';
export { type Event, signalRun } from './driving/signal.ts';
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
export { graphLines, graphMermaid } from './views/graph.ts';
export {
  type Outlook,
  type OutlookUnit,
  outlookOf,
  outlookOfRetry,
  outlookOfRun,
  outlookUnits,
  wantedLocks,
} from './views/outlook.ts';
export { type PlannedUnit, type PlanParts, planPipeline } from './views/plan.ts';
export { listRuns, type RunReport, reportRun } from './views/report.ts';
