/** `agov checkpoint`: snapshots of where the work stands, to begin again from. */
import type { AddCommands } from '../../frame/index.ts';
import { diffCommand } from './diff.ts';
import { keepCommands } from './keep.ts';
import { loadCommand } from './load.ts';
import { nowCommand } from './now.ts';
import { reportCommand } from './report.ts';
import { showCommand } from './show.ts';
import { timelineCommand } from './timeline.ts';

export const checkpointCommands: AddCommands = (program, define) => {
  const checkpoint = program
    .command('checkpoint')
    .description('keep where the work stands, and be told it again after a reset');
  nowCommand(checkpoint, define);
  loadCommand(checkpoint, define);
  reportCommand(checkpoint, define);
  timelineCommand(checkpoint, define);
  showCommand(checkpoint, define);
  diffCommand(checkpoint, define);
  keepCommands(checkpoint, define);
};
