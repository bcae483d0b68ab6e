export { foldAgents } from '../../../governance/standing/index.ts';
export { appendStep, bringInLine, ledgerRoster, type OperatorAct, type Roster } from './roster.ts';
