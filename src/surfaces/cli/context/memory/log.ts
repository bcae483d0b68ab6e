import { createReadStream, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { Option } from 'commander';
import type { MemoryEntry } from '../../../../context/memory/index.ts';
import { AgovError, messageOf, parseDuration } from '../../../../kernel/index.ts';
import { type AddCommands, type Cli, oneLine } from '../../frame/index.ts';
import { bytesText, progressOf } from '../progress.ts';
import { asOperator, given, inSpace, kindOption, shortId, tagOption } from './options.ts';

export const logCommand: AddCommands = (memory, define) => {
  define(
    memory
      .command('log [file]')
      .description('keep a file, or what comes over standard input; secrets are taken out')
      .option('--stdin', 'read standard input, which is also what is read without a file')
      .option('--title <text>', 'what it is called; else the file’s name, or its first line')
      .addOption(tagOption('a word to find it by; may be given again'))
      .addOption(kindOption('what it is; else told from its content'))
      .option('--ttl <duration>', 'how long it is kept, such as 7d; else until it is forgotten')
      .addOption(
        new Option('--on-secret <way>', 'what becomes of content that holds a secret; else as configured').choices([
          'redact',
          'refuse',
        ]),
      )
      .option(...inSpace)
      .option(...asOperator),
    (cli, [file], options) => log(cli, file, options),
    [
      'make test 2>&1 | agov memory log --title "test run" --tag ci',
      'agov memory log design.md --tag decision',
      'agov memory log --ttl 7d --space team/release < deploy.log',
    ],
  );
};

async function log(cli: Cli, file: string | undefined, options: Readonly<Record<string, unknown>>): Promise<void> {
  const { read, size, name } = file === undefined || file === '-' ? standardInput(cli) : openFile(cli, file, options);
  const ttl = options['ttl'];
  const ttlMs = typeof ttl === 'string' ? { ttlMs: parseDuration(ttl) } : {};
  await cli.withApp(async (app) => {
    const desk = await app.memoryOf(app.operator(options['as'] as string | undefined)); // text, as declared
    const stop = new AbortController();
    using _listening = cli.io.signals.listen(() => stop.abort(stopped()));
    using progress = progressOf(cli, app.env, 'logging', bytesText);
    const entry = await desk
      .log(read(stop.signal), {
        ...(name === undefined ? {} : { title: name }),
        ...given(options, 'title', 'kind', 'space', 'onSecret'),
        ...(options['tag'] === undefined ? {} : { tags: options['tag'] as readonly string[] }), // as its parser makes it
        ...ttlMs,
        signal: stop.signal,
        onProgress: (bytes) => progress.show(bytes, size),
      })
      .catch((error: unknown) => {
        throw stop.signal.aborted ? stop.signal.reason : error;
      });
    progress[Symbol.dispose]();
    cli.emit(entry, () => told(entry));
  });
}

interface Source {
  /** Opens it when it is first read from, and not before the rest of the command line has been found good. */
  read(signal: AbortSignal): AsyncIterable<Uint8Array>;
  readonly size: number | undefined;
  readonly name: string | undefined;
}

function standardInput(cli: Cli): Source {
  if (cli.io.stdin.isTTY) cli.note('Reading from the terminal; end with Ctrl-D.');
  const { stdin } = cli.io;
  const read = (signal: AbortSignal): AsyncIterable<Uint8Array> => {
    signal.addEventListener('abort', () => stdin.destroy(), { once: true });
    return stdin;
  };
  return { read, size: undefined, name: undefined };
}

function openFile(cli: Cli, file: string, { stdin }: Readonly<Record<string, unknown>>): Source {
  if (stdin) throw new AgovError('USAGE', { what: 'Give a file or --stdin, not both.' });
  const path = resolve(cli.cwd, file);
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) throw new AgovError('INPUT_INVALID', { what: `${path} is a folder.`, fix: 'Name a file.' });
    const size = stat.isFile() ? stat.size : undefined;
    const read = async function* (signal: AbortSignal): AsyncGenerator<Uint8Array> {
      yield* createReadStream(path, { highWaterMark: 262_144, signal });
    };
    return { read, size, name: basename(path) };
  } catch (error) {
    if (error instanceof AgovError) throw error;
    throw new AgovError('NOT_FOUND', { what: `The file ${path} cannot be read.`, why: messageOf(error), cause: error });
  }
}

function told({ id, title, kind, bytes, parts, redacted, indexed }: MemoryEntry): string {
  const secrets = Object.entries(redacted).map(([rule, count]) => `${count} × ${rule}`);
  const lines = [
    `${id}  ${oneLine(title)}`,
    `  ${kind}, ${bytesText(bytes)} in ${parts} part${parts === 1 ? '' : 's'}`,
  ];
  if (secrets.length > 0) lines.push(`  secrets taken out: ${secrets.join(', ')}`);
  if (kind === 'binary') lines.push('  It is binary: kept, and found by its title alone.');
  if (indexed < parts) lines.push(`  ${parts - indexed} parts are still to be indexed; the next search or gc does it.`);
  lines.push(`  agov memory fetch ${shortId(id)}`);
  return lines.join('\n');
}

function stopped(): AgovError {
  return new AgovError('INPUT_INVALID', { what: 'Stopped: nothing was logged.' });
}
