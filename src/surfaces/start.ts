/**
 * Starts a command: the version at once, then signals and the command line. Everything else is loaded when it is needed.
 * `agov` hands over its words as they are; a command that stands alone puts its own name before them.
 */
import { readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { constants } from 'node:os';
import type { SignalSource } from './cli/index.ts';

const neededNode = 24;

export async function start(argv: readonly string[]): Promise<void> {
  if (Number(process.versions.node.split('.')[0]) < neededNode) {
    process.stderr.write(
      `agov: Node ${process.versions.node} is too old; agov needs ${neededNode} or newer.\n` +
        '  fix: install it from nodejs.org, or run agov from its checkout with "npx agov", which brings its own.\n',
    );
    process.exit(78);
  }
  if (process.argv.length === 3 && (argv.at(-1) === '--version' || argv.at(-1) === '-V')) {
    process.stdout.write(`${version()}\n`);
    return;
  }
  outliveReaders();
  const { cacheFolder } = await import('../kernel/index.ts');
  const folder = cacheFolder(process.env);
  if (folder !== undefined) enableCompileCache(folder);
  const { runCli } = await import('./cli/index.ts');
  process.exitCode = await runCli(argv, {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    cwd: process.cwd(),
    version: version(),
    signals: signalSource(),
  });
}

/** This module lies two folders below the root, as source and in the bundle (`dist/chunks/`). */
function version(): string {
  const manifest: { version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return manifest.version;
}

/** A reader that has gone (`agov ledger tail | head`) is no failure, and must not end what is being recorded. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

/** The newest listener gets a signal. Without one the process ends as it would have by default. */
function signalSource(): SignalSource {
  const listeners: ((signal: NodeJS.Signals) => void)[] = [];
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const) {
    process.on(signal, () => {
      const listener = listeners.at(-1);
      if (listener) return listener(signal);
      if (signal !== 'SIGUSR1' && signal !== 'SIGUSR2') process.exit(128 + constants.signals[signal]);
    });
  }
  return {
    listen(listener) {
      listeners.push(listener);
      return { [Symbol.dispose]: () => void listeners.splice(listeners.indexOf(listener), 1) };
    },
  };
}
