import { listRuns } from '../../../../work/pipeline/index.ts';
import type { AddCommands, Cli } from '../../frame/index.ts';

export const listCommand: AddCommands = (pipeline, define) => {
  define(
    pipeline.command('list').description('runs, newest first').option('-n, --limit <count>', 'how many', '20'),
    (cli, _args, { limit }) =>
      cli.withApp(async (app) => {
        const runs = listRuns(await app.record(), Number(limit) || 20);
        cli.emit(
          runs.map((run) => ({ ...run, stages: Object.fromEntries(run.stages), items: Object.fromEntries(run.items) })),
          () => {
            if (runs.length === 0) return 'No runs yet. Start one: agov pipeline run FILE';
            const rows = runs.map((r) => [
              r.run,
              r.pipeline,
              colored(cli, r.status),
              r.operator,
              r.startedAt.slice(0, 16).replace('T', ' '),
            ]);
            return cli.table(['RUN', 'PIPELINE', 'STATUS', 'BY', 'STARTED'], rows);
          },
        );
      }),
  );
};

function colored(cli: Cli, status: string): string {
  const { green, red, yellow } = cli.colors;
  if (status === 'ok') return green(status);
  return status === 'failed' ? red(status) : yellow(status);
}
