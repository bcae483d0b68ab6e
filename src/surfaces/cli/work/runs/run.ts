import { mustParse, outlookOf, readParameters, startRun } from '../../../../work/pipeline/index.ts';
import type { AddCommands } from '../../frame/index.ts';
import { known, pairs, readPipeline } from '../file.ts';
import { lookBefore } from '../preflight/before.ts';
import { chosenEngine, withEngine } from './drive/engine.ts';
import { driving, follow } from './drive/follow.ts';

export const runCommand: AddCommands = (pipeline, define) => {
  define(
    driving(
      withEngine(pipeline.command('run <file>'))
        .description('run a pipeline; an intent that needs approval asks at the terminal, or waits')
        .option('-p, --param <name=value...>', 'a parameter of the pipeline'),
      'runs',
    ),
    (cli, [file = ''], options) =>
      cli.withApp(async (app) => {
        const by = app.operator(options['as']);
        const text = readPipeline(cli, file);
        const knows = await known(cli, app, file);
        const parsed = mustParse(text, file, knows);
        await app.governor();
        const params = readParameters(parsed, pairs(options['param'] ?? []));
        const engine = await chosenEngine(app, options['engine']);
        const preflight = await lookBefore(cli, app, outlookOf(parsed, params, engine), options['skipPreflight']);
        const from = { text, file: knows.templates.from, params, preflight, engine };
        const { artifacts, ids } = app;
        const parts = { ledger: await app.ledger(), artifacts, ids, budgets: await app.budgets() };
        const run = await startRun(parts, parsed, from, by);
        return follow(cli, app, parsed, run, { ...options, by });
      }),
    [
      'agov pipeline run pipelines/release.yaml',
      'agov pipeline run pipelines/release.yaml --param version=1.4 --param dry_run=true',
      'agov pipeline run pipelines/release.yaml --yes --json',
      'agov pipeline run pipelines/release.yaml --engine bullmq',
      'agov pipeline run pipelines/release.yaml --skip-preflight "the mirror is down, the cache will do"',
    ],
  );
};
