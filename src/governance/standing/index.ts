export { type AgentBody, applyStep, foldAgents, foldKilledRuns } from './fold.ts';
export { leastOf, recordedStandings } from './standing.ts';
