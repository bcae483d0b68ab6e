/** What every command is handed: the app, the ways to print, and the person's wishes (`--json`, `--verbose`). */
import { stripVTControlCharacters } from 'node:util';
import picocolors from 'picocolors';
import type { App, AppOptions, EgressOpener, SocketOpener } from '../../../app/index.ts';
import { AgovError, isAgovError, messageOf } from '../../../kernel/index.ts';
import type { Io } from './io.ts';
import { table } from './table.ts';

export interface GlobalOptions {
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly project?: string;
}

export interface Cli {
  readonly io: Io;
  readonly json: boolean;
  readonly colors: ReturnType<typeof picocolors.createColors>;
  /** Both ends are a person's terminal. */
  readonly interactive: boolean;
  /** The folder that relative arguments start from. */
  readonly cwd: string;
  /** Opens the app for `use` and closes it, whatever happens; `environment` is laid over what the process was given. */
  withApp<T>(use: (app: App) => Promise<T>, environment?: NodeJS.ProcessEnv): Promise<T>;
  /** One result: JSON for machines, else the text. */
  emit(value: unknown, text: () => string): void;
  /** One of many, as it comes: a JSON line, else the text. */
  emitLine(value: unknown, text: () => string): void;
  /** For the person alone; nothing under `--json`. To standard error, so that pipes stay clean. */
  note(text: string): void;
  table(head: readonly string[], rows: readonly (readonly string[])[]): string;
}

export function createCli(io: Io, options: GlobalOptions): Cli {
  const json = options.json ?? false;
  const { NO_COLOR: noColor, FORCE_COLOR: forceColor } = io.environment;
  const colors = picocolors.createColors(!json && (Boolean(forceColor) || (!noColor && io.stdout.isTTY === true)));
  const write = (text: string): void => void io.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  const cwd = options.project ?? io.cwd;
  return {
    io,
    json,
    colors,
    cwd,
    interactive: io.stdin.isTTY === true && io.stdout.isTTY === true && !json,
    async withApp(use, environment = {}) {
      await using app = await openApp({
        from: cwd,
        environment: { ...io.environment, ...environment },
        egress: openEgress,
        socket: openSocket,
      });
      return await use(app);
    },
    emit: (value, text) => write(json ? JSON.stringify(value, null, 2) : text()),
    emitLine: (value, text) => write(json ? JSON.stringify(value) : text()),
    note: (text) => void (json || io.stderr.write(`${text}\n`)),
    table: (head, rows) => table(head.map(colors.dim), rows, io.stdout.isTTY ? (io.stdout.columns ?? 80) : undefined),
  };
}

/** Loaded for the commands that use it. Not beside `await using`: TypeScript forgets to rewrite an import's extension there. */
async function openApp(options: AppOptions): Promise<App> {
  return (await import('../../../app/index.ts')).openApp(options);
}

/** Few commands open a way out; the others need not load an HTTP proxy. */
const openEgress: EgressOpener = async (...asked) => (await import('../../egress/index.ts')).openEgress(...asked);

const openSocket: SocketOpener = async (...asked) =>
  (await import('../../agent-socket/index.ts')).openAgentSocket(...asked);

/** Says what, why and what to do; the stack only when asked. The exit code. */
export function reportError(io: Io, options: GlobalOptions, thrown: unknown): number {
  const error = isAgovError(thrown) ? thrown : unexpected(thrown);
  if (options.json) {
    io.stderr.write(`${JSON.stringify({ error: error.toJSON() })}\n`);
  } else {
    const lines = [`agov: ${error.what}`];
    if (error.why) lines.push(`  why: ${error.why}`);
    if (error.fix) lines.push(`  fix: ${error.fix}`);
    io.stderr.write(`${lines.map(printable).join('\n')}\n`);
  }
  if (options.verbose) io.stderr.write(`${thrown instanceof Error ? (thrown.stack ?? '') : ''}\n`);
  return error.exitCode;
}

function unexpected(thrown: unknown): AgovError {
  return new AgovError('INTERNAL', {
    what: 'agov stopped at something it did not expect.',
    why: messageOf(thrown),
    fix: 'Run it again with --verbose and report what it prints.',
    cause: thrown,
  });
}

/** Text from files and agents may hold terminal control sequences: they are shown, not obeyed. */
export function printable(text: string): string {
  // What reorders a line (Trojan Source, CVE-2021-42574) shows another command than the one that is approved.
  return stripVTControlCharacters(text).replace(/(?![\t\n])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, '�');
}

/** The same on one line: a line break in a name or an argument must not begin a line that looks like ours. */
export function oneLine(text: string): string {
  return printable(text).replaceAll('\n', '⏎');
}
