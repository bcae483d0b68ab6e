import type { App } from '../../../../app/index.ts';
import { ledgerApprovals } from '../../../../governance/approvals/index.ts';
import { mayLive } from '../../../../governance/governor/index.ts';
import { AgovError, formatDuration, parseDuration } from '../../../../kernel/index.ts';
import type { Pipeline } from '../../../../schemas/index.ts';
import { listRuns, type RunChange, type RunWatch, watchRun } from '../../../../work/pipeline/index.ts';
import { type AddCommands, type Cli, oneLine } from '../../frame/index.ts';
import { exitCodes, parsedOf } from '../runs/drive/follow.ts';
import { frameOf } from './frame.ts';
import { openScreen } from './screen.ts';

const lookEveryMs = 200;
/** Times go on where nothing else does. */
const drawEveryMs = 1000;

export const watchCommand: AddCommands = (pipeline, define) => {
  define(
    pipeline
      .command('watch [run]')
      .description('a run as it goes, whoever drives it: the newest, or the one named; ends when it ends')
      .option('--once', 'how it stands now, and no more'),
    (cli, [run], { once }) =>
      cli.withApp(async (app) => {
        const ledger = await app.record();
        const watch = watchRun(ledger, run ?? newest(listRuns(ledger, 1)[0]?.run));
        const parsed = await parsedOf(app, watch.state);
        const view = viewOf(cli, app, watch, parsed, await unanswered(app));
        if (once) return told(cli, watch, view);
        if (!cli.json && cli.io.stdout.isTTY === true) return drawn(cli, app, watch, view);
        return followed(cli, app, watch);
      }),
    [
      'agov pipeline watch',
      'agov pipeline watch 0199c2d4-…',
      'agov pipeline watch 0199c2d4-… --once',
      'agov pipeline watch --json',
    ],
  );
};

function newest(run: string | undefined): string {
  if (run !== undefined) return run;
  throw new AgovError('NOT_FOUND', { what: 'There is no run yet.', fix: 'Start one: agov pipeline run FILE' });
}

/** Approvals that still lack an operator's consent. */
async function unanswered(app: App): Promise<() => ReadonlySet<string>> {
  const approvals = ledgerApprovals(await app.record(), app.env, parseDuration(app.config.approvals.ttl));
  return () =>
    new Set(approvals.pending().flatMap(({ id, operators, quorum }) => (operators.length < quorum ? [id] : [])));
}

type Draw = () => readonly string[];

function viewOf(cli: Cli, app: App, watch: RunWatch, pipeline: Pipeline, open: () => ReadonlySet<string>): Draw {
  return () => {
    const { columns = 80, rows = 24 } = cli.io.stdout;
    const { state, asked } = watch;
    const gone = state.status === 'running' && !mayLive(state.driver);
    const view = { watch, pipeline, now: app.env.now(), open: asked.size === 0 ? new Set<string>() : open() };
    const size = cli.io.stdout.isTTY === true ? { columns, rows } : { columns: 200, rows: Number.POSITIVE_INFINITY };
    return frameOf(view, size, cli.colors, gone);
  };
}

function told(cli: Cli, { state, asked }: RunWatch, draw: Draw): number {
  const { run, pipeline, status, reason, startedAt, endedAt } = state;
  const units = [...state.stages].map(([unit, { outputs: _outputs, artifacts: _artifacts, ...one }]) => {
    const approval = asked.get(unit);
    return { unit, ...one, ...(approval === undefined ? {} : { approval }) };
  });
  cli.emitLine({ run, pipeline, status, reason, startedAt, endedAt, units }, () => draw().join('\n'));
  return status === 'running' ? 0 : exitCodes[status];
}

async function drawn(cli: Cli, app: App, watch: RunWatch, draw: Draw): Promise<number> {
  using screen = openScreen(cli.io);
  let drawnAt = Number.NEGATIVE_INFINITY;
  return untilEnd(cli, app, watch, (changes) => {
    const now = app.env.monotonic();
    if (changes.length === 0 && now - drawnAt < drawEveryMs) return;
    drawnAt = now;
    screen.draw(draw());
  });
}

function followed(cli: Cli, app: App, watch: RunWatch): Promise<number> {
  return untilEnd(cli, app, watch, (changes) => {
    for (const change of changes) cli.emitLine(change, () => lineFor(cli, change));
  });
}

/** Looks every so often, shows what has changed, and gives the run's exit code; 130 where the watcher goes away first. */
async function untilEnd(
  cli: Cli,
  app: App,
  watch: RunWatch,
  show: (changes: readonly RunChange[]) => void,
): Promise<number> {
  const stop = new AbortController();
  using _signals = cli.io.signals.listen(() => stop.abort());
  cli.io.stdout.once('error', () => stop.abort());
  for (;;) {
    show(watch.look());
    const { status, endedAt } = watch.state;
    if (endedAt !== undefined) return exitCodes[status];
    await app.env.sleep(lookEveryMs, stop.signal).catch(() => undefined); // told to stop
    if (stop.signal.aborted) return 130;
  }
}

function lineFor(
  cli: Cli,
  { at, unit, status, attempt, reason, durationMs, worker, items, approval }: RunChange,
): string {
  const { dim, green, red, yellow } = cli.colors;
  const color = {
    ok: green,
    failed: red,
    denied: red,
    retrying: yellow,
    waiting: yellow,
    asks: yellow,
    cancelled: yellow,
  };
  const shown = unit !== undefined && status === 'open' ? 'started' : status;
  const said = [
    ...(attempt !== undefined && attempt > 1 ? [`attempt ${attempt}`] : []),
    ...(items === undefined ? [] : [`${items} items`]),
    ...(durationMs === undefined ? [] : [formatDuration(durationMs)]),
    ...(worker === undefined ? [] : [`on ${oneLine(worker)}`]),
    ...(approval === undefined ? [] : [`agov approve ${approval}`]),
    ...(reason === undefined ? [] : [oneLine(reason)]),
  ];
  const painted = (color[status as keyof typeof color] ?? ((text: string) => text))(shown);
  return [dim(at.slice(11, 23)), unit ?? 'run', painted, said.join(', ')].filter((text) => text !== '').join('  ');
}
