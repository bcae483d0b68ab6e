export { openRemote, type Remote, type RemoteParts } from './coordinator/remote.ts';
export { createOpener, createSeal, jobFormat, nameOf, type SealKey } from './messages/index.ts';
export type { WorkerEvent } from './worker/take.ts';
export { type RunningWorker, startWorker, type WorkerParts } from './worker/worker.ts';
