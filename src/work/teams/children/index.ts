export { type ChildrenParts, createChildren } from './children.ts';
export { roleOf } from './names.ts';
export { retireOrphans } from './register.ts';
export { failedWith, runByDefinition } from './run.ts';
export type { Child, ChildEnd, ChildJob, Children, ChildWish, SpawnCall, Spawned } from './types.ts';
