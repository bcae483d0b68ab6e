export { readCache, writeCache } from './cache.ts';
export type { ShownFault } from './head.ts';
export { rulesOf } from './rules.ts';
export { type Directory, type Walked, walk } from './walk.ts';
