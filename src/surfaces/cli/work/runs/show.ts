import { parseKept, readRun, reportRun } from '../../../../work/pipeline/index.ts';
import type { AddCommands } from '../../frame/index.ts';
import { printReport } from './drive/report.ts';

export const showCommand: AddCommands = (pipeline, define) => {
  define(pipeline.command('show <run>').description('a run: stages, times, decisions, refusals'), (cli, [run = '']) =>
    cli.withApp(async (app) => {
      const ledger = await app.record();
      const { source, file } = readRun(ledger, run);
      const parsed = parseKept((await app.artifacts.get(source)).toString('utf8'), file, {
        agents: undefined,
        tools: app.tools,
      });
      printReport(cli, reportRun(ledger, run, parsed), undefined);
    }),
  );
};
