/** `agov status`: how the work in each directory stands. */
import type { AddCommands } from '../../frame/index.ts';
import { dashboardCommand } from './dashboard.ts';
import { graphCommand } from './graph.ts';
import { showCommand } from './show.ts';
import { sweepCommand } from './sweep.ts';
import { updateCommand } from './update.ts';

export const statusCommands: AddCommands = (program, define) => {
  const status = program
    .command('status')
    .description('how the work in each directory stands, in its STATUS.md: read, change, check, look at all');
  updateCommand(status, define);
  showCommand(status, define);
  dashboardCommand(status, define);
  sweepCommand(status, define);
  graphCommand(status, define);
};
