import { once } from 'node:events';
import type { App } from '../../../../app/index.ts';
import type { Desk, FetchOptions, MemoryEntry, Piece } from '../../../../context/memory/index.ts';
import { type SummaryLength, summaryLengths } from '../../../../context/summaries/index.ts';
import { openTokenizer } from '../../../../context/tokens/index.ts';
import { AgovError } from '../../../../kernel/index.ts';
import { type AddCommands, type Cli, printable } from '../../frame/index.ts';
import { asOperator, given, inSpace } from './options.ts';

/** One JSON text holds it all in memory. */
const mostInJson = 64 * 1024 * 1024;

export const fetchCommand: AddCommands = (memory, define) => {
  define(
    memory
      .command('fetch <id>')
      .description('print what was logged: all of it, a part, or some lines')
      .option('-s, --summary [length]', `in few words: ${Object.keys(summaryLengths).join(', ')}`)
      .option('--part <n>', 'one part, counted from 1')
      .option('--range <a-b>', 'lines, counted from 1, both included')
      .option(...inSpace)
      .option(...asOperator),
    (cli, [id = ''], options) =>
      cli.withApp(async (app) => {
        const desk = await app.memoryOf(app.operator(options['as']));
        if (options['summary'] !== undefined) return summary(cli, app, desk, id, options);
        const asked = { ...readOptions(options), ...given(options, 'space') };
        return desk.fetch(id, asked, (entry, pieces) =>
          cli.json ? json(cli, desk, entry, pieces) : print(cli, entry, pieces),
        );
      }),
    [
      'agov memory fetch 9f3a61c2d4e8',
      'agov memory fetch 9f3a61c2d4e8 --summary short',
      'agov memory fetch 9f3a61c2d4e8 --part 3',
      'agov memory fetch 9f3a --range 120-180',
    ],
  );
};

async function summary(
  cli: Cli,
  app: App,
  desk: Desk,
  id: string,
  options: Readonly<Record<string, unknown>>,
): Promise<number> {
  const asked = options['summary'] === true ? 'medium' : options['summary'];
  const length = (Object.keys(summaryLengths) as SummaryLength[]).find((one) => one === asked);
  if (!length) {
    const fix = `Lengths are ${Object.keys(summaryLengths).join(', ')}.`;
    throw new AgovError('USAGE', { what: `"${asked}" is no length of a summary.`, fix });
  }
  const stop = new AbortController();
  using _listening = cli.io.signals.listen(() => stop.abort(new AgovError('INPUT_INVALID', { what: 'Stopped.' })));
  const told = await desk.summary(id, length, given(options, 'space'), stop.signal);
  const { count, encoding } = await openTokenizer(app.config.tokens.encoding);
  if (told.instead !== undefined) cli.note(`${told.instead} These are sentences of the content.`);
  if (told.read < 1) cli.note(`Of ${(told.read * 100).toPrecision(2)}% of the content: it is large.`);
  cli.emit({ ...told, tokens: count(told.text), encoding }, () => printable(told.text));
  return 0;
}

function readOptions({ part, range }: Readonly<Record<string, string | undefined>>): FetchOptions {
  if (part !== undefined && range !== undefined)
    throw new AgovError('USAGE', { what: 'Give --part or --range, not both.' });
  if (part !== undefined && !/^\d{1,9}$/.test(part))
    throw new AgovError('USAGE', { what: `"${part}" is not the number of a part.`, fix: '--part 3' });
  const [, from, to] = /^(\d{1,12})(?:-(\d{1,12}))?$/.exec(range ?? '') ?? [];
  if (range !== undefined && from === undefined)
    throw new AgovError('USAGE', { what: `"${range}" is no range of lines.`, fix: '--range 120-180' });
  return {
    ...(part === undefined ? {} : { part: Number(part) }),
    ...(from === undefined ? {} : { lines: { from: Number(from), to: Number(to ?? from) } }),
  };
}

/** Bytes as they were logged, but for a terminal, which must not obey them. */
async function print(cli: Cli, entry: MemoryEntry, pieces: Iterable<Piece>): Promise<number> {
  const { stdout } = cli.io;
  const damaged: number[] = [];
  let gone = false;
  stdout.once('error', () => {
    gone = true;
  });
  for (const { part, bytes } of pieces) {
    if (gone) return 0;
    if (bytes === undefined) damaged.push(part);
    else if (!stdout.write(stdout.isTTY ? printable(bytes.toString('utf8')) : bytes))
      await Promise.race([once(stdout, 'drain'), once(stdout, 'close')]);
  }
  if (damaged.length > 0) throw damage(entry, damaged);
  return 0;
}

async function json(cli: Cli, desk: Desk, entry: MemoryEntry, pieces: Iterable<Piece>): Promise<number> {
  let size = 0;
  const damaged: number[] = [];
  const parts: unknown[] = [];
  for (const { part, label, line, bytes } of pieces) {
    size += bytes?.length ?? 0;
    if (size > mostInJson) {
      const fix = 'Ask for some of it with --part or --range, or leave --json out.';
      throw new AgovError('INPUT_INVALID', { what: 'The entry is too large for one JSON text.', fix });
    }
    if (bytes === undefined) damaged.push(part);
    else parts.push({ part, label, line, ...content(bytes) });
  }
  cli.emit({ entry, parts, links: await desk.links(entry.id), ...(damaged.length > 0 ? { damaged } : {}) }, () => '');
  return damaged.length > 0 ? damage(entry, damaged).exitCode : 0;
}

/** What is no UTF-8 would not come back from a JSON string. */
function content(bytes: Buffer): { readonly text: string } | { readonly base64: string } {
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') && !Buffer.from(text).equals(bytes) ? { base64: bytes.toString('base64') } : { text };
}

function damage({ id, parts }: MemoryEntry, damaged: readonly number[]): AgovError {
  return new AgovError('MEMORY_CORRUPT', {
    what: `Of entry ${id} ${damaged.length} of ${parts} parts are damaged; the rest was printed.`,
    why: `Other bytes than were logged lie under part ${damaged.slice(0, 20).join(', ')}${damaged.length > 20 ? ' and more' : ''}.`,
    fix: 'Take .agov/memory.db from a backup, or log the content again.',
    details: { id, damaged: damaged.slice(0, 1000) },
  });
}
