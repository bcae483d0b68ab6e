import { outlookOfRun, resumable, resumeRun } from '../../../../work/pipeline/index.ts';
import type { AddCommands } from '../../frame/index.ts';
import { lookBefore } from '../preflight/before.ts';
import { continueRun, driving, parsedOf } from './drive/follow.ts';

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
        const ledger = await app.ledger();
        const state = resumable(ledger, run);
        const rest = outlookOfRun(await parsedOf(app, state), state);
        await resumeRun(ledger, run, by, await lookBefore(cli, app, rest, options['skipPreflight']));
        return continueRun(cli, app, run, { ...options, by });
      }),
    ['agov pipeline resume 0199c2d4-…'],
  );
};
