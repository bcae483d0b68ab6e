/** Workers: this host as one, those that are there, and what they are ordered to do. */
import type { App } from '../../../../app/index.ts';
import { AgovError, formatDuration, isoTime } from '../../../../kernel/index.ts';
import { nearest } from '../../../../schemas/index.ts';
import { type AddCommands, type Cli, type Define, oneLine } from '../../frame/index.ts';
import { runWorker } from './run.ts';

export const workerCommands: AddCommands = (program, define) => {
  const worker = program.command('worker');
  define(
    worker
      .description('do stages of pipelines that run elsewhere, until told to stop; SIGTERM ends what runs first')
      .option('--state <url>', 'the state server, instead of state.url in agov.yaml')
      .option('--name <name>', 'under which it is listed and ordered; by default the host’s')
      .option('--concurrency <count>', 'stages at once; by default the number of processors')
      .option('--drain-timeout <duration>', 'how long what runs may take to end after SIGTERM', '10m'),
    (cli, _args, flags) => runWorker(cli, flags),
    [
      'agov worker',
      'agov worker --state rediss://agov@state.example.com:6380 --name build-1 --concurrency 8',
      'agov worker list',
      'agov worker drain build-1',
    ],
  );

  define(
    worker.command('list').description('workers, what they do and what they are ordered'),
    (cli) => cli.withApp((app) => list(cli, app)),
    ['agov worker list', 'agov worker list --json'],
  );
  ordering(define, worker, 'pause', 'take nothing new until resumed; holds over restarts of worker and server');
  ordering(define, worker, 'resume', 'take work again');
  ordering(define, worker, 'drain', 'end what runs, take nothing new, and leave');
};

type Program = Parameters<AddCommands>[0];

function ordering(define: Define, worker: Program, order: 'pause' | 'resume' | 'drain', does: string): void {
  define(
    worker.command(`${order} [name]`).description(does).option('--all', 'every worker'),
    (cli, [name], { all }) =>
      cli.withApp(async (app) => {
        if ((name === undefined) === !all)
          throw new AgovError('USAGE', {
            what: 'Name one worker, or all.',
            fix: `Write agov worker ${order} NAME, or --all.`,
          });
        const told = await give(app, name, order);
        cli.emit({ order, workers: told }, () =>
          told.length === 0 ? `Whoever comes: ${order}.` : `Told ${told.map(oneLine).join(', ')}: ${order}.`,
        );
      }),
    [`agov worker ${order} build-1`, `agov worker ${order} --all`],
  );
}

async function give(
  app: App,
  name: string | undefined,
  order: 'pause' | 'resume' | 'drain',
): Promise<readonly string[]> {
  const { fleet } = await app.queue();
  const names = (await fleet.list()).map((one) => one.name);
  const what = order === 'resume' ? 'go' : order;
  if (name === undefined) {
    // Who comes later is not to leave at once.
    if (order !== 'drain') await fleet.order('all', what);
    else for (const one of names) await fleet.order({ name: one }, 'drain');
    return names;
  }
  if (!names.includes(name)) {
    const hint = nearest(name, names);
    throw new AgovError('NOT_FOUND', {
      what: `There is no worker "${oneLine(name)}".`,
      fix: hint === undefined ? 'See "agov worker list".' : `Did you mean "${hint}"?`,
    });
  }
  await fleet.order({ name }, what);
  return [name];
}

async function list(cli: Cli, app: App): Promise<void> {
  const workers = await (await app.queue()).fleet.list();
  cli.emit(workers, () => {
    if (workers.length === 0) return 'No workers. Start one: agov worker';
    const { green, red, yellow } = cli.colors;
    const rows = workers.map((one) => {
      const silent = one.silentMs > 10_000 ? red(`silent for ${formatDuration(one.silentMs)}`) : undefined;
      const doing = { go: green('at work'), pause: yellow('paused'), drain: yellow('draining') }[one.order];
      return [
        ...[one.name, one.host, one.version, silent ?? doing, `${one.running}/${one.concurrency}`].map(oneLine),
        isoTime(one.since).slice(0, 19).replace('T', ' '),
      ];
    });
    return cli.table(['NAME', 'HOST', 'VERSION', 'STATUS', 'RUNNING', 'SINCE'], rows);
  });
}
