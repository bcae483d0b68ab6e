/** How the work in each directory stands: one `STATUS.md` each, by hand or by command. */
export { type Agent, agentUpdate, agentView } from './agent.ts';
export { type Count, type Dashboard, type DashboardRow, graphMermaid } from './overview/index.ts';
export { openStatus, type Status, type SweepReport } from './status.ts';
export type { Finding } from './sweep/index.ts';
export type { Updated, Wanted } from './update/index.ts';
