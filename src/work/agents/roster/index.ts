export { foldAgents } from './fold.ts';
export { appendStep, bringInLine, ledgerRoster, type OperatorAct, type Roster } from './roster.ts';
