export { applyChange, type Change } from './edit.ts';
export { readStatus, timeOf } from './read.ts';
export { splitFile } from './split.ts';
export { everyLevel, type StatusRead, type StatusValue, statusFile, type Task } from './types.ts';
