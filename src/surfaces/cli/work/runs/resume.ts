import { resumeRun } from '../../../../work/pipeline/index.ts';
import type { AddCommands } from '../../frame/index.ts';
import { continueRun, driving } from './drive/follow.ts';

export const resumeCommand: AddCommands = (pipeline, define) => {
  define(
    driving(
      pipeline
        .command('resume <run>')
        .description('go on with a run that was killed or waits; finished stages are not repeated'),
      'resumes',
    ),
    (cli, [run = ''], options) =>
      cli.withApp(async (app) => {
        const by = app.operator(options['as']);
        await app.governor();
        await resumeRun(await app.ledger(), run, by);
        return continueRun(cli, app, run, { ...options, by });
      }),
    ['agov pipeline resume 0199c2d4-…'],
  );
};
