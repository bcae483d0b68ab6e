import { mkdtempSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Housekeeper } from '../../../../app/housekeeping.ts';
import type { App } from '../../../../app/index.ts';
import { AgovError, isoTime, parseDuration } from '../../../../kernel/index.ts';
import { type ChoreEvent, type Holder, holdProject, readHolder } from '../../../../runtime/housekeeping/index.ts';
import { type AskedStatus, askStatus, serveHealth } from '../../../http/index.ts';
import { type AddCommands, type Cli, oneLine } from '../../frame/index.ts';
import { openNotifier } from './notify.ts';

/** To close the files in, after the drain. */
const closingMs = 2000;

export const serveCommand: AddCommands = (program, define) => {
  define(
    program
      .command('serve')
      .description(
        'keep house as long as it runs: settle, expire, end, finish revocations, bring state in line, watch health',
      )
      .option('--status', 'ask the one that runs how it is; ends with 1 when nothing could be decided there now'),
    async (cli, _args, { status }) => cli.withApp((app) => (status ? showStatus(cli, app) : serve(cli, app))),
    ['agov serve', 'agov serve --status --json'],
  );
};

async function serve(cli: Cli, app: App): Promise<number> {
  using held = holdProject(app.project.data);
  const log = (chore: string, event: string, text: string, at = isoTime(app.env.now())): void =>
    cli.emitLine({ at, chore, event, text }, () => `${at} ${chore} ${event}: ${oneLine(text)}`);
  const { env, project } = app;
  const onFault = (what: string): void => log('systemd', 'failed', what);
  const systemd = openNotifier({ env, environment: cli.io.environment, onFault });

  await using house = await keepHouse(app, ({ chore, event, text, at }) => log(chore, event, text, at));
  await using endpoint = await serveHealth(app.config.serve.listen ?? socketIn(project.data), house);
  const { address } = endpoint;
  const since = isoTime(env.now());
  held.announce({ pid: process.pid, host: hostname(), since, address });
  const signal = signalled(cli);
  log('serve', 'ready', `Process ${process.pid} keeps house for ${project.root}; ask ${address}`, since);
  await systemd.send('READY=1', `STATUS=Keeps house for ${oneLine(project.root)}`);
  using _watchdog = systemd.watch(house.alive);
  log('serve', 'stopping', `${await signal}: it finishes what it is at.`);
  await systemd.send('STOPPING=1');
  const failed = await app.autoCheckpoint('drain', 'agov serve was told to stop.', app.operator);
  if (failed !== undefined) log('checkpoint', 'failed', failed);
  // A call that hangs would keep the process alive long after it was waited for. Does not itself keep it alive.
  env.timer(() => process.exit(0), parseDuration(app.config.serve.drain) + closingMs);
  return 0;
}

/** Not beside `await using`: TypeScript forgets to rewrite an import's extension there. */
async function keepHouse(app: App, onEvent: (event: ChoreEvent) => void): Promise<Housekeeper> {
  return (await import('../../../../app/housekeeping.ts')).openHousekeeper(app, onEvent);
}

/** Resolves at the first signal to end; a second one is as if there were no listener. */
function signalled(cli: Cli): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const listening = cli.io.signals.listen((signal) => {
      if (signal !== 'SIGTERM' && signal !== 'SIGINT') return;
      listening[Symbol.dispose]();
      resolve(signal);
    });
  });
}

/** A socket's path may have 107 bytes; a project may lie deeper. */
function socketIn(dataDir: string): string {
  const path = join(dataDir, 'serve.sock');
  return Buffer.byteLength(path) <= 107 ? path : join(mkdtempSync(join(tmpdir(), 'agov-serve-')), 'serve.sock');
}

async function showStatus(cli: Cli, app: App): Promise<number> {
  const { holder, status } = await askServe(app);
  if (!holder || !status) {
    throw new AgovError('NOT_FOUND', {
      what: 'No "agov serve" runs for this project.',
      ...(holder
        ? { why: `Process ${holder.pid} on ${holder.host} did, and does not answer at ${holder.address}.` }
        : {}),
      fix: 'Start it: agov serve, or systemctl start agov',
    });
  }
  cli.emit(status, () => {
    const { green, red } = cli.colors;
    const head = status.ready ? green('ready') : red(`not ready: ${status.reasons.map(oneLine).join('; ')}`);
    const rows = status.chores.map(({ name, runs, failures, lastAt, did, fault }) => [
      ...[name, String(runs), String(failures), lastAt?.slice(0, 19) ?? '–'],
      oneLine(fault?.what ?? did ?? ''),
    ]);
    const breakers = status.breakers.map(({ name, state }) => `${name} ${state}`).join(', ') || 'none';
    return [
      `${head}, process ${status.pid} on ${status.host} since ${status.since}`,
      `breakers: ${breakers}`,
      cli.table(['CHORE', 'RUNS', 'FAILURES', 'LAST', 'FOUND'], rows),
    ].join('\n');
  });
  return status.ready ? 0 : 1;
}

/** Who says that they serve the project, and what they answer. */
export async function askServe(app: App): Promise<{ holder?: Holder; status?: AskedStatus }> {
  const holder = readHolder(app.project.data);
  const status = holder && (await askStatus(holder.address));
  return { ...(holder ? { holder } : {}), ...(status ? { status } : {}) };
}
