export { freeze, kill, stopAgent, thaw } from './kill.ts';
export { type UnfinishedKill, unfinishedKills } from './orders.ts';
export { retryKills } from './retry.ts';
export type { KillIdentities, KillParts, KillReport, KillStep, KillTarget, Thawed, Why } from './types.ts';
