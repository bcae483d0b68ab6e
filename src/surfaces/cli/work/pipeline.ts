import { relative, resolve } from 'node:path';
import type { App } from '../../../app/index.ts';
import { type Fault, type Pipeline, showFault } from '../../../schemas/index.ts';
import {
  cancelRun,
  createPerform,
  drive,
  listRuns,
  mustParse,
  parsePipeline,
  type RunState,
  readParameters,
  readRun,
  reportRun,
  resumeRun,
  retryRun,
  startRun,
} from '../../../work/pipeline/index.ts';
import { type AddCommands, type Cli, printable } from '../frame/index.ts';
import { known, pairs, readPipeline } from './file.ts';
import { graphCommand } from './graph.ts';
import { asking, showing } from './live.ts';
import { planCommand } from './plan.ts';
import { printReport } from './report.ts';

export const pipelineCommands: AddCommands = (program, define) => {
  const pipeline = program.command('pipeline').description('run stages of several agents; kill it anywhere, resume it');

  define(
    pipeline.command('validate <file>').description('every fault of a pipeline file, with its line and column'),
    (cli, [file = '']) => cli.withApp((app) => validate(cli, app, file)),
    ['agov pipeline validate pipelines/release.yaml'],
  );
  planCommand(pipeline, define);
  graphCommand(pipeline, define);

  define(
    pipeline
      .command('run <file>')
      .description('run a pipeline; an intent that needs approval asks at the terminal, or waits')
      .option('-p, --param <name=value...>', 'a parameter of the pipeline')
      .option('--yes', 'approve what asks, as the operator; recorded as such')
      .option('--as <operator>', 'the operator who runs it')
      .option('--output', 'show what the stages print'),
    (cli, [file = ''], options) =>
      cli.withApp(async (app) => {
        const by = app.operator(options['as']);
        const text = readPipeline(cli, file);
        const parsed = mustParse(text, file, await known(app));
        const { root } = app.project;
        await app.governor();
        const params = readParameters(parsed, pairs(options['param'] ?? []));
        const from = { text, file: relative(root, resolve(cli.cwd, file)), params };
        const run = await startRun(
          { ledger: await app.ledger(), artifacts: app.artifacts, ids: app.ids },
          parsed,
          from,
          by,
        );
        return follow(cli, app, parsed, run, { ...options, by });
      }),
    [
      'agov pipeline run pipelines/release.yaml',
      'agov pipeline run pipelines/release.yaml --param version=1.4 --param dry_run=true',
      'agov pipeline run pipelines/release.yaml --yes --json',
    ],
  );

  define(
    pipeline
      .command('resume <run>')
      .description('go on with a run that was killed or waits; finished stages are not repeated')
      .option('--yes', 'approve what asks, as the operator; recorded as such')
      .option('--as <operator>', 'the operator who resumes it')
      .option('--output', 'show what the stages print'),
    (cli, [run = ''], options) =>
      cli.withApp(async (app) => {
        const by = app.operator(options['as']);
        await app.governor();
        await resumeRun(await app.ledger(), run, by);
        return continueRun(cli, app, run, { ...options, by });
      }),
    ['agov pipeline resume 0199c2d4-…'],
  );

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

  define(
    pipeline
      .command('retry <run>')
      .description('a new run of the same text that takes over what the old one did well')
      .option('--from <stage...>', 'begin again at these stages; by default at those that failed')
      .option('--yes', 'approve what asks, as the operator; recorded as such')
      .option('--as <operator>', 'the operator who runs it')
      .option('--output', 'show what the stages print'),
    (cli, [run = ''], options) =>
      cli.withApp(async (app) => {
        const by = app.operator(options['as']);
        await app.governor();
        const parts = { ledger: await app.ledger(), artifacts: app.artifacts, ids: app.ids };
        const old = readRun(parts.ledger, run);
        const parsed = await parsedOf(app, old);
        const made = await retryRun(parts, parsed, old, options['from'] ?? [], by);
        return follow(cli, app, parsed, made, { ...options, by });
      }),
    ['agov pipeline retry 0199c2d4-…', 'agov pipeline retry 0199c2d4-… --from deploy'],
  );

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
              r.startedAt.slice(0, 19).replace('T', ' '),
            ]);
            return cli.table(['RUN', 'PIPELINE', 'STATUS', 'BY', 'STARTED'], rows);
          },
        );
      }),
  );

  define(pipeline.command('show <run>').description('a run: stages, times, decisions, refusals'), (cli, [run = '']) =>
    cli.withApp(async (app) => {
      const ledger = await app.record();
      const { source, file } = readRun(ledger, run);
      const parsed = mustParse((await app.artifacts.get(source)).toString('utf8'), file, {
        agents: undefined,
        tools: app.tools,
      });
      printReport(cli, reportRun(ledger, run, parsed), undefined);
    }),
  );
};

async function validate(cli: Cli, app: App, file: string): Promise<number> {
  const text = readPipeline(cli, file);
  const result = parsePipeline(text, file, await known(app));
  const faults: readonly Fault[] = result.ok ? [] : result.faults;
  cli.emit({ ok: result.ok, faults }, () => {
    if (result.ok)
      return `${cli.colors.green('ok')}: ${result.pipeline.name}, ${Object.keys(result.pipeline.stages).length} stages`;
    return [
      ...faults.map((f) => printable(showFault(f, text))),
      `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}`,
    ].join('\n');
  });
  return result.ok ? 0 : 1;
}

/** The pipeline as the run began with it, whatever its file says by now. */
async function parsedOf(app: App, { source, file }: RunState): Promise<Pipeline> {
  return mustParse((await app.artifacts.get(source)).toString('utf8'), file, await known(app));
}

async function continueRun(cli: Cli, app: App, run: string, options: FollowOptions): Promise<number> {
  return follow(cli, app, await parsedOf(app, readRun(await app.ledger(), run)), run, options);
}

interface FollowOptions {
  readonly yes?: boolean;
  readonly output?: boolean;
  readonly by: ReturnType<App['operator']>;
}

const exitCodes = { ok: 0, failed: 1, cancelled: 130, waiting: 75, running: 1 } as const;

async function follow(
  cli: Cli,
  app: App,
  pipeline: Pipeline,
  run: string,
  { yes, output, by }: FollowOptions,
): Promise<number> {
  const [stop, quit] = [new AbortController(), new AbortController()];
  const ledger = await app.ledger();
  using _signals = cli.io.signals.listen(() => {
    if (stop.signal.aborted) return quit.abort();
    cli.note('Stopping: what was done is undone, and the final stages run. Once more ends that as well.');
    stop.abort();
  });
  const show = showing(cli, pipeline, output ?? false);
  cli.note(`Run ${run}: ${pipeline.name}, ${Object.keys(pipeline.stages).length} stages, by ${by.operator}`);
  const state = await drive(
    {
      ...{ env: app.env, ids: app.ids, ledger, artifacts: app.artifacts },
      perform: createPerform({
        ...{ exec: await app.exec(), useTool: await app.useTool(), tools: app.tools },
        output: show.output,
      }),
      workspace: app.workspace,
      hidden: [app.project.data, app.project.keys],
      ask: asking(cli, await app.approvals(), (await app.governor()).policyVersion, by, yes ?? false),
      onUnit: show.unit,
    },
    pipeline,
    run,
    { stop: stop.signal, quit: quit.signal },
  );
  printReport(cli, reportRun(ledger, run, pipeline), ledger.verify());
  if (state.status === 'waiting')
    cli.note(`It waits for approval: agov approvals, agov approve ID, then: agov pipeline resume ${run}`);
  if (state.status === 'failed') cli.note(`See what happened: agov ledger tail --run ${run}`);
  return exitCodes[state.status];
}

function colored(cli: Cli, status: string): string {
  const { green, red, yellow } = cli.colors;
  if (status === 'ok') return green(status);
  return status === 'failed' ? red(status) : yellow(status);
}
