export { type ReportedAgent, type TeamReport, teamReport } from './report.ts';
export { createRunTeam, type RunTeam, type TeamJob, type TeamRunParts } from './run.ts';
