/** Pipelines: what their files say, and runs of them. */
import type { AddCommands } from '../frame/index.ts';
import { graphCommand } from './language/graph.ts';
import { newCommand } from './language/new.ts';
import { planCommand } from './language/plan.ts';
import { validateCommand } from './language/validate.ts';
import { cancelCommand } from './runs/cancel.ts';
import { listCommand } from './runs/list.ts';
import { resumeCommand } from './runs/resume.ts';
import { retryCommand } from './runs/retry.ts';
import { runCommand } from './runs/run.ts';
import { showCommand } from './runs/show.ts';
import { signalCommand } from './runs/signal.ts';
import { watchCommand } from './watch/index.ts';

export const pipelineCommands: AddCommands = (program, define) => {
  const pipeline = program.command('pipeline').description('run stages of several agents; kill it anywhere, resume it');
  const parts = [
    ...[validateCommand, planCommand, graphCommand, newCommand],
    ...[runCommand, resumeCommand, cancelCommand, retryCommand, signalCommand],
    ...[listCommand, showCommand, watchCommand],
  ];
  for (const add of parts) add(pipeline, define);
};
