import { availableParallelism, hostname } from 'node:os';
import type { App } from '../../../../app/index.ts';
import { AgovError, durationPattern, isoTime, parseDuration } from '../../../../kernel/index.ts';
import { nameSchema } from '../../../../schemas/index.ts';
import type { RunningWorker } from '../../../../work/orchestrator/index.ts';
import { type Cli, oneLine } from '../../frame/index.ts';

export interface WorkerFlags {
  readonly state?: string;
  readonly name?: string;
  readonly concurrency?: string;
  readonly drainTimeout?: string;
}

const mostAtOnce = 1000;

export async function runWorker(cli: Cli, flags: WorkerFlags): Promise<number> {
  const name = nameOf(flags.name);
  const concurrency = countOf(flags.concurrency);
  const drainMs = durationOf(flags.drainTimeout ?? '10m');
  const given = flags.state === undefined ? {} : { AGOV_STATE_URL: flags.state };
  return cli.withApp((app) => work(cli, app, { name, concurrency, drainMs }), given);
}

interface Wanted {
  readonly name: string;
  readonly concurrency: number;
  readonly drainMs: number;
}

async function work(cli: Cli, app: App, { name, concurrency, drainMs }: Wanted): Promise<number> {
  const { env } = app;
  const log = (event: string, text: string, job?: string): void => {
    const at = isoTime(env.now());
    const about = job === undefined ? '' : ` ${oneLine(job)}`;
    cli.emitLine({ at, event, ...(job ? { job } : {}), text }, () => `${at} ${event}${about}: ${oneLine(text)}`);
  };
  let kept: Promise<string | undefined> | undefined;
  const keep = (): void => {
    kept ??= app.autoCheckpoint('drain', `Worker ${name} was told to stop.`, app.operator);
  };
  const worker = await app.worker({
    ...{ name, concurrency, version: cli.io.version },
    onEvent: (told) => log(told.event, told.text, 'job' in told ? told.job : undefined),
    onOrder(order) {
      log('order', order);
      if (order === 'drain') keep();
    },
  });
  using _signals = obeySignals(cli, worker, {
    log,
    later() {
      keep();
      return env.timer(() => worker.stop(), drainMs);
    },
  });
  log('ready', `${name} takes up to ${concurrency} at once; process ${process.pid}`);
  await worker.ended;
  const failed = await kept;
  if (failed !== undefined) log('checkpoint', failed);
  log('left', `${name} has ended what it began.`);
  return 0;
}

interface Ending {
  log(event: string, text: string): void;
  /** Stops what a drain has not ended in time. */
  later(): Disposable;
}

/** The first signal drains; the second kills what runs. */
function obeySignals(cli: Cli, worker: RunningWorker, { log, later }: Ending): Disposable {
  let draining = false;
  return cli.io.signals.listen((signal) => {
    if (signal !== 'SIGTERM' && signal !== 'SIGINT') return;
    if (draining) {
      log('stopping', `${signal} again: what runs is killed.`);
      return worker.stop();
    }
    draining = true;
    log('draining', `${signal}: it ends what runs and takes nothing new. Again kills what runs.`);
    later();
    worker.drain();
  });
}

/** A host's own name, as far as it can be one here. */
function nameOf(given: string | undefined): string {
  const own = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/\.{2,}/g, '.');
  const text =
    given ??
    own
      .slice(0, 64)
      .replace(/^[._-]+/, '')
      .replace(/[._-]+$/, '');
  const read = nameSchema.safeParse(text);
  if (read.success) return read.data;
  throw new AgovError('USAGE', {
    what: `"${oneLine(text)}" names no worker.`,
    fix: 'Give a name such as --name build-1.',
  });
}

function countOf(given: string | undefined): number {
  const count = given === undefined ? Math.max(1, availableParallelism()) : Number(given);
  if (Number.isInteger(count) && count >= 1 && count <= mostAtOnce) return count;
  throw new AgovError('USAGE', {
    what: `"${oneLine(given ?? '')}" is no number of jobs.`,
    fix: `Write --concurrency with 1 to ${mostAtOnce}.`,
  });
}

function durationOf(given: string): number {
  if (durationPattern.test(given)) return parseDuration(given);
  throw new AgovError('USAGE', { what: `"${oneLine(given)}" is no duration.`, fix: 'Write --drain-timeout 10m.' });
}
