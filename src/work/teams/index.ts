export { type Children, type ChildrenParts, createChildren, retireOrphans } from './children/index.ts';
export { type LiveTeams, liveTeams } from './live.ts';
export { type TeamOperationParts, teamOperations } from './operations/index.ts';
