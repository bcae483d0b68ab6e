export { batching } from './batching.ts';
export { type JobBody, jobBodySchema } from './entries.ts';
export {
  type About,
  aboutOf,
  type Consent,
  type Job,
  jobFormat,
  jobId,
  jobSchema,
  readStage,
} from './job.ts';
export { type Result, resultSchema, type Said } from './result.ts';
export { createOpener, createSeal, nameOf, type Opened, type Seal, type SealKey } from './seal.ts';
