export { type AgentBody, applyStep, foldAgents, foldFleet, foldKilledRuns } from './fold.ts';
export { leastOf, recordedStandings } from './standing.ts';
