export { type AgentBody, applyStep, foldAgents, foldFleet, foldKilledRuns } from './fold.ts';
export { leastOf, lineIn, openStandings, type Standings } from './standing.ts';
