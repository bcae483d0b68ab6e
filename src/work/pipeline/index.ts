export { type DriveParts, drive, resumeRun, startRun } from './drive.ts';
export { type RunState, readRun, type StageState } from './journal.ts';
export { type Known, mustParse, type ParseResult, parsePipeline } from './parse.ts';
export { listRuns, type RunReport, reportRun } from './report.ts';
export type { Answer, StageEnd } from './stage.ts';
