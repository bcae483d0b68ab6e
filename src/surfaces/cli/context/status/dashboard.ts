import { resolve } from 'node:path';
import type { App } from '../../../../app/index.ts';
import type { Dashboard } from '../../../../context/status/index.ts';
import { AgovError } from '../../../../kernel/index.ts';
import type { AddCommands, Cli } from '../../frame/index.ts';
import { openScreen } from '../../work/watch/screen.ts';
import { looking } from './looking.ts';
import { treeOf } from './tree.ts';

const lookEveryMs = 2000;

export const dashboardCommand: AddCommands = (status, define) => {
  define(
    status
      .command('dashboard [dir]')
      .description('how far everything is, as a tree with progress, and what is stuck')
      .option('--depth <levels>', 'how many levels to show (default: as many as fit)', depthOf)
      .option('--watch', 'keep it up to date until it is interrupted; with --json a line for each change'),
    (cli, [dir = '.'], { depth, watch }) =>
      cli.withApp(async (app) => {
        const directory = resolve(cli.cwd, dir);
        if (watch) return watched(cli, app, directory, depth);
        using look = looking(cli, app.env);
        const seen = await (await app.status()).dashboard(directory, look.options);
        look[Symbol.dispose]();
        cli.emit(seen, () => drawn(cli, seen, depth, Number.POSITIVE_INFINITY).join('\n'));
        return undefined;
      }),
    ['agov status dashboard', 'agov status dashboard services --depth 2', 'agov status dashboard --watch'],
  );
};

function drawn(cli: Cli, seen: Dashboard, depth: number | undefined, rows: number): readonly string[] {
  const columns = cli.io.stdout.isTTY === true ? (cli.io.stdout.columns ?? 80) : 120;
  return treeOf(seen, { columns, rows, ...(depth === undefined ? {} : { depth }) }, cli.colors);
}

async function watched(cli: Cli, app: App, directory: string, depth: number | undefined): Promise<number> {
  const status = await app.status();
  const stop = new AbortController();
  using _signals = cli.io.signals.listen(() => stop.abort());
  cli.io.stdout.once('error', () => stop.abort());
  const terminal = cli.io.stdout.isTTY === true && !cli.json;
  using screen = terminal ? openScreen(cli.io) : undefined;
  let before = '';
  while (!stop.signal.aborted) {
    const seen = await status.dashboard(directory);
    const now = JSON.stringify([seen, cli.io.stdout.columns, cli.io.stdout.rows]);
    if (now !== before) {
      if (screen) screen.draw(drawn(cli, seen, depth, (cli.io.stdout.rows ?? 24) - 1));
      else cli.emitLine(seen, () => drawn(cli, seen, depth, Number.POSITIVE_INFINITY).join('\n'));
    }
    before = now;
    await app.env.sleep(lookEveryMs, stop.signal).catch(() => undefined); // told to stop
  }
  return 130;
}

function depthOf(text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new AgovError('USAGE', {
    what: `"${text}" is not a number of levels.`,
    fix: 'Give a whole number from 1 to 99.',
  });
}
