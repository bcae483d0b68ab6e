import { cancelRun } from '../../../../work/pipeline/index.ts';
import type { AddCommands } from '../../frame/index.ts';
import { continueRun } from './drive/follow.ts';

export const cancelCommand: AddCommands = (pipeline, define) => {
  define(
    pipeline
      .command('cancel <run>')
      .description('end a run wherever it is driven: what runs is stopped, what was done is undone')
      .option('--reason <text>', 'why; recorded', 'no longer wanted')
      .option('--as <operator>', 'the operator who cancels it'),
    (cli, [run = ''], options) =>
      cli.withApp(async (app) => {
        const by = app.operator(options['as']);
        await app.governor();
        const ended = await cancelRun(await app.ledger(), run, by, options['reason']);
        if (ended === 'taken over') return continueRun(cli, app, run, { ...options, by });
        cli.emit({ run, cancelled: ended }, () => `Run ${run} is being cancelled ${ended}: agov pipeline show ${run}`);
        return 0;
      }),
    ['agov pipeline cancel 0199c2d4-… --reason "wrong version"'],
  );
};
