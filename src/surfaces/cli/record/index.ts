/** The record: the ledger and what it names by digest. */
import type { AddCommands } from '../frame/index.ts';
import { artifactCommand } from './artifact.ts';
import { budgetCommand } from './budget.ts';
import { ledgerCommands } from './ledger.ts';
import { tailCommand } from './tail.ts';

export const recordCommands: AddCommands = (program, define) => {
  const ledger = program.command('ledger').description('read, verify, prove and export the record');
  tailCommand(ledger, define);
  ledgerCommands(ledger, define);
  artifactCommand(program, define);
  budgetCommand(program, define);
};
