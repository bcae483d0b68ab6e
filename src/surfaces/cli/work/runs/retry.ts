import { outlookOfRetry, readRun, retryRun, stagesAgain } from '../../../../work/pipeline/index.ts';
import type { AddCommands } from '../../frame/index.ts';
import { lookBefore } from '../preflight/before.ts';
import { chosenEngine, withEngine } from './drive/engine.ts';
import { driving, follow, parsedOf } from './drive/follow.ts';

export const retryCommand: AddCommands = (pipeline, define) => {
  define(
    driving(
      withEngine(pipeline.command('retry <run>'))
        .description('a new run of the same text that takes over what the old one did well')
        .option('--from <stage...>', 'begin again at these stages; by default at those that failed'),
      'runs',
    ),
    (cli, [run = ''], options) =>
      cli.withApp(async (app) => {
        const by = app.operator(options['as']);
        await app.governor();
        const { artifacts, ids } = app;
        const parts = { ledger: await app.ledger(), artifacts, ids, budgets: await app.budgets() };
        const old = readRun(parts.ledger, run);
        const parsed = await parsedOf(app, old);
        const again = stagesAgain(parsed, old, options['from'] ?? []);
        const engine = await chosenEngine(app, options['engine']);
        const rest = outlookOfRetry(parsed, old, again, engine);
        const looked = await lookBefore(cli, app, rest, options['skipPreflight']);
        const made = await retryRun(parts, parsed, old, again, by, looked, engine);
        return follow(cli, app, parsed, made, { ...options, by });
      }),
    ['agov pipeline retry 0199c2d4-…', 'agov pipeline retry 0199c2d4-… --from deploy'],
  );
};
