export { checkTeam, type KnownToTeams, mustTeam, type RolePlan, type TeamPlan, type TeamResult } from './parse.ts';
export { readTeam, teamFile, teamFolder, teamNames } from './place.ts';
