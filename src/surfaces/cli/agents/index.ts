/** Agents: who they are, running them, and an operator's consent. */
import type { AddCommands } from '../frame/index.ts';
import { actCommand } from './act.ts';
import { agentCommand } from './agent.ts';
import { approvalCommands } from './approvals.ts';
import { killCommands } from './kill.ts';
import { runCommand } from './run.ts';

export const agentCommands: AddCommands = (program, define) => {
  agentCommand(program, define);
  runCommand(program, define);
  actCommand(program, define);
  approvalCommands(program, define);
  killCommands(program, define);
};
