#!/usr/bin/env node
/** Starts: the version at once, then signals and the command line. Everything else is loaded when a command needs it. */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { SignalSource } from './surfaces/cli/index.ts';

const neededNode = 24;

if (Number(process.versions.node.split('.')[0]) < neededNode) {
  process.stderr.write(
    `agov: Node ${process.versions.node} is too old; agov needs ${neededNode} or newer.\n` +
      '  fix: install it from nodejs.org, or run agov from its checkout with "npx agov", which brings its own.\n',
  );
  process.exit(78);
}

if (process.argv.length === 3 && (process.argv[2] === '--version' || process.argv[2] === '-V')) {
  process.stdout.write(`${version()}\n`);
} else {
  const { runCli } = await import('./surfaces/cli/index.ts');
  process.exitCode = await runCli(process.argv.slice(2), {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    cwd: process.cwd(),
    version: version(),
    signals: signalSource(),
  });
}

function version(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return manifest.version;
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
