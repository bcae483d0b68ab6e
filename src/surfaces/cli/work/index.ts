/** Work: wrapped tools, and pipelines of them. */
import type { AddCommands } from '../frame/index.ts';
import { pipelineCommands } from './pipeline.ts';
import { preflightCommand } from './preflight/index.ts';
import { teamCommands } from './team/index.ts';
import { toolCommands } from './tool.ts';
import { workerCommands } from './worker/index.ts';

export const workCommands: AddCommands = (program, define) => {
  pipelineCommands(program, define);
  teamCommands(program, define);
  preflightCommand(program, define);
  workerCommands(program, define);
  toolCommands(program, define);
};
