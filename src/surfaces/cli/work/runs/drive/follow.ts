/** What every command that drives a run has in common: its options, the signals, the lines as it goes, the report. */
import type { Command } from 'commander';
import type { App } from '../../../../../app/index.ts';
import { endApprovals } from '../../../../../governance/approvals/index.ts';
import { parseDuration } from '../../../../../kernel/index.ts';
import type { Pipeline } from '../../../../../schemas/index.ts';
import {
  driveInTurn,
  parseKept,
  type RunState,
  readRun,
  reportRun,
  unitKey,
} from '../../../../../work/pipeline/index.ts';
import type { Cli } from '../../../frame/index.ts';
import { performing } from './engine.ts';
import { keeping } from './keeping.ts';
import { asking, showing } from './live.ts';
import { printReport } from './report.ts';

/** Those of `run`, `resume` and `retry`; `does` is what their operator does to the run. */
export function driving(command: Command, does: string): Command {
  return command
    .option('--yes', 'approve what asks, as the operator; recorded as such')
    .option('--as <operator>', `the operator who ${does} it`)
    .option('--output', 'show what the stages print')
    .option('--skip-preflight <reason>', 'start although checks failed that may be passed over; recorded');
}

/** The pipeline as the run began with it, whatever its file says by now. What its agents may is asked at each step. */
export async function parsedOf(app: App, { source, file }: RunState): Promise<Pipeline> {
  return parseKept((await app.artifacts.get(source)).toString('utf8'), file, { agents: undefined, tools: app.tools });
}

export async function continueRun(cli: Cli, app: App, run: string, options: FollowOptions): Promise<number> {
  return follow(cli, app, await parsedOf(app, readRun(await app.ledger(), run)), run, options);
}

interface FollowOptions {
  readonly yes?: boolean;
  readonly output?: boolean;
  readonly by: ReturnType<App['operator']>;
}

/** By how a run ended, or what it is at. */
export const exitCodes = { ok: 0, failed: 1, cancelled: 130, waiting: 75, running: 1 } as const;

export async function follow(
  cli: Cli,
  app: App,
  pipeline: Pipeline,
  run: string,
  { yes, output, by }: FollowOptions,
): Promise<number> {
  const [stop, quit] = [new AbortController(), new AbortController()];
  const [ledger, shared] = [await app.ledger(), await app.state()];
  using _signals = cli.io.signals.listen(() => {
    if (stop.signal.aborted) return quit.abort();
    cli.note('Stopping: what was done is undone, and the final stages run. Once more ends that as well.');
    stop.abort();
  });
  const show = showing(cli, pipeline, output ?? false);
  cli.note(`Run ${run}: ${pipeline.name}, ${Object.keys(pipeline.stages).length} stages, by ${by.operator}`);
  const kept = keeping(cli, app, run, by);
  const budgets = await app.budgets();
  await using done = await performing(cli, app, readRun(ledger, run), show);
  const state = await driveInTurn(
    {
      ...{ env: app.env, ids: app.ids, ledger, artifacts: app.artifacts, budgets },
      perform: done.perform,
      ...{ locks: shared.locks, board: shared.board, by },
      onTurn: (waits) => cli.note(`${cli.colors.yellow('‖')} run ${run} ${waits}`),
      graceMs: parseDuration(app.config.state.grace),
      workspace: app.workspace,
      hidden: [app.project.data, app.project.keys],
      ask: asking(cli, await app.approvals(), (await app.governor()).policyVersion, by, yes ?? false),
      onUnit(unit, end) {
        show.unit(unit, end);
        if (end !== 'started') kept.after(unitKey(unit), end.status);
      },
    },
    pipeline,
    run,
    { stop: stop.signal, quit: quit.signal },
  );
  await kept.done();
  printReport(cli, reportRun(ledger, run, pipeline), ledger.verify());
  if (state.status === 'waiting') for (const line of waitingFor(state)) cli.note(line);
  // A consent to what will not be done any more would serve the next run that asks the same.
  if (state.status === 'cancelled') {
    await endApprovals(ledger, { agents: new Set(), run }, { ...by, reason: state.reason ?? 'It was cancelled.' });
  }
  if (state.status === 'failed') cli.note(`See what happened: agov ledger tail --run ${run}`);
  return exitCodes[state.status];
}

function waitingFor({ run, approvals, stages }: RunState): string[] {
  const events = [...stages.values()].flatMap(({ status, awaiting }) =>
    status === 'pending' && awaiting ? [awaiting.event] : [],
  );
  return [
    ...(approvals > 0 ? ['It waits for approval: agov approvals, agov approve ID'] : []),
    ...[...new Set(events)].map((name) => `It waits for an event: agov pipeline signal ${run} ${name}`),
    `Then: agov pipeline resume ${run}`,
  ];
}
