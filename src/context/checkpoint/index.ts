/** Snapshots of where the work stands: taken, told within a number of tokens, compared, put back. */
export type { Brief } from './brief/brief.ts';
export { type CheckpointAsker, type Checkpoints, checkpointsOf, type Taken } from './checkpoints.ts';
export { checkpointLineSchema, type Read as ReadCheckpoint } from './format/file.ts';
export type { About, Parts as CheckpointParts, PartValue } from './format/parts.ts';
export type { Sources } from './look/sources.ts';
export { damageTold, type Recorded } from './store/record.ts';
export { openStore } from './store/store.ts';
export type { Difference } from './use/difference.ts';
