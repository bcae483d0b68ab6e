import { resolve } from 'node:path';
import { AgovError, parseDuration } from '../../../kernel/index.ts';
import { readInvitation } from '../../../runtime/bootstrap/index.ts';
import type { AddCommands, Cli } from '../frame/index.ts';
import { refused } from '../frame/index.ts';

export const runCommand: AddCommands = (program, define) => {
  define(
    program
      .command('run <command> [args...]')
      .description('run a command as an agent, in its tier’s sandbox; passes its exit code on')
      .requiredOption('--agent <name>', 'who runs it')
      .option('--workspace <dir>', 'folder of the project to work in (default: the project)')
      .option('--secret <NAME=path...>', 'lease a secret into an environment variable, for this command alone')
      .option('--invitation <file>', 'lease with this instead of an invitation made here: see "agov agent invite"')
      .option('--timeout <duration>', 'kill it after this long: 30s, 15m'),
    (cli, argv, options) => run(cli, argv, options),
    [
      'agov run --agent reader -- git log --oneline',
      'agov run --agent builder --workspace services/api -- npm test',
      'agov run --agent builder --secret DB_URL=dev/db -- node migrate.js',
    ],
  );
};

interface RunOptions {
  readonly agent?: string;
  readonly workspace?: string;
  readonly secret?: readonly string[];
  readonly timeout?: string;
  readonly invitation?: string;
}

async function run(cli: Cli, [program, ...args]: readonly string[], options: RunOptions): Promise<number> {
  if (program === undefined)
    throw new AgovError('USAGE', { what: 'No command was given.', fix: 'agov run --agent NAME -- CMD' });
  return cli.withApp(async (app) => {
    const workspace = await app.workspace(options.workspace ? resolve(cli.cwd, options.workspace) : '.');
    const timeoutMs = options.timeout === undefined ? {} : { timeoutMs: parseDuration(options.timeout) };
    const { agent = '', invitation: file } = options;
    const invitation = file === undefined ? undefined : readInvitation(resolve(cli.cwd, file), agent, app.project.root);
    const exec = await app.exec();
    let unlisten: Disposable | undefined;
    try {
      const acted = await exec({
        channel: { agent: options.agent ?? '', run: app.ids(), workspace },
        argv: [program, ...args],
        secrets: parseSecrets(options.secret ?? []),
        invitation,
        stdin: 'inherit',
        ...(cli.json ? {} : { stdout: cli.io.stdout, stderr: cli.io.stderr }),
        ...(cli.cwd.startsWith(`${workspace}/`) ? { cwd: cli.cwd } : {}),
        ...timeoutMs,
        onStart: (running) => {
          unlisten = cli.io.signals.listen((signal) => void running.signal(signal));
        },
      });
      if (acted.verdict !== 'allow') return refused(cli, options.agent ?? '', acted);
      if (cli.json) cli.emit({ intent: acted.id, outcome: acted.outcome }, () => '');
      if (acted.value.stopped) cli.note(`agov: ${acted.value.stopped}`);
      return acted.value.code;
    } finally {
      unlisten?.[Symbol.dispose]();
    }
  });
}

function parseSecrets(pairs: readonly string[]): Record<string, string> {
  const entries = pairs.map((pair) => {
    const [, name, path] = /^([A-Za-z_][A-Za-z0-9_]*)=(.+)$/.exec(pair) ?? [];
    if (name && path) return [name, path] as const;
    throw new AgovError('USAGE', {
      what: `"${pair}" does not name a variable and a secret.`,
      fix: 'Write --secret NAME=dev/path',
    });
  });
  return Object.fromEntries(entries);
}
