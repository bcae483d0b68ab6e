/** Teams: what their files say, running them, and who did what in a run. */
import type { AddCommands } from '../../frame/index.ts';
import { listCommand, validateCommand } from './files.ts';
import { runCommand } from './run.ts';
import { showCommand } from './show.ts';

export const teamCommands: AddCommands = (program, define) => {
  const team = program.command('team').description('teams of agents: check their files, run them, see who did what');
  for (const add of [validateCommand, listCommand, runCommand, showCommand]) add(team, define);
};
