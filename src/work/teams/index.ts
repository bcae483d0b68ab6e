export { type Children, type ChildrenParts, createChildren, retireOrphans } from './children/index.ts';
export {
  checkTeam,
  type KnownToTeams,
  mustTeam,
  readTeam,
  type TeamPlan,
  type TeamResult,
  teamFile,
  teamFolder,
  teamNames,
} from './language/index.ts';
export { type LiveTeams, liveTeams } from './live.ts';
export { type TeamOperationParts, type TeamSeat, teamOperations } from './operations/index.ts';
export { createRunTeam, type ReportedAgent, type RunTeam, type TeamReport, teamReport } from './run/index.ts';
