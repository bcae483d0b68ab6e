export { foldAgents, foldFleet } from '../../../governance/standing/index.ts';
export { putActs } from './in-line.ts';
export { appendStep, ledgerRoster, type OperatorAct, type Roster } from './roster.ts';
