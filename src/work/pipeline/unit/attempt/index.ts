export { type Ended, ended, failedOn, meet, stopsTheRun, without } from './ended.ts';
export type { UnitJob } from './job.ts';
export { pauseBefore } from './retry.ts';
export { type Attempt, noteLocks, openAttempt, startAttempt } from './start.ts';
