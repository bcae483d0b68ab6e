export { announceHalt, type Halt } from './event.ts';
export { createWatch, type StopWatch, type Watch, type WatchParts } from './watch.ts';
