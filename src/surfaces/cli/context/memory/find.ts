import type { App } from '../../../../app/index.ts';
import type { Desk, MemoryEntry, SearchHit } from '../../../../context/memory/index.ts';
import { AgovError } from '../../../../kernel/index.ts';
import { type AddCommands, type Cli, oneLine } from '../../frame/index.ts';
import { bytesText, progressOf } from '../progress.ts';
import { asOperator, filtered, given, parseLimit, shortId } from './options.ts';

/** How long a search may spend on what is still to be indexed. */
const catchUpMs = 5000;
/** How long on what has no vector. */
const embedMs = 60_000;
const embeddedAtOnce = 64;

export const findCommands: AddCommands = (memory, define) => {
  define(
    filtered(memory.command('list').description('entries, the newest first'))
      .option('-n, --limit <count>', 'how many', '20')
      .option('--before <id>', 'only those before this one: the next page')
      .option(...asOperator),
    (cli, _args, options) =>
      cli.withApp(async (app) => {
        const desk = await app.memoryOf(app.operator(options['as']));
        const limit = parseLimit(options['limit'], 10_000);
        const page = await desk.list({ limit, ...asked(options), ...given(options, 'before') });
        cli.emit(page, () => {
          if (page.entries.length === 0) return 'Nothing is remembered here.';
          const rows = page.entries.map((entry) => [...rowOf(entry), entry.tags.join(' ')]);
          const more = page.more ? `\nMore: agov memory list --before ${shortId(page.entries.at(-1)?.id ?? '')}` : '';
          return `${cli.table(['ID', 'WHEN', 'KIND', 'SIZE', 'SPACE', 'TITLE', 'TAGS'], rows)}${more}`;
        });
      }),
    [
      'agov memory list --limit 5',
      'agov memory list --tag decision --agent builder',
      'agov memory list --before 9f3a61c2d4e8',
    ],
  );

  define(
    filtered(
      memory
        .command('search <query...>')
        .description('find parts by their words: all of them, "a phrase", begin*, -without'),
    )
      .option('--semantic', 'also what is near in sense, by the model of memory.embeddings')
      .option('-n, --limit <count>', 'how many', '10')
      .option(...asOperator),
    (cli, words, options) =>
      cli.withApp(async (app) => {
        const desk = await app.memoryOf(app.operator(options['as']));
        const limit = parseLimit(options['limit'], 100);
        await catchUp(cli, app);
        const query = { text: words.join(' '), limit, ...asked(options) };
        const found = await (options['semantic'] ? bySense(cli, app, desk, query) : desk.search(query));
        if (found.unsearched > 0) cli.note(`${found.unsearched} parts are still to be indexed: agov memory gc`);
        cli.emit(found, () =>
          found.hits.length === 0 ? 'Nothing found.' : found.hits.map((hit) => shown(cli, hit)).join('\n'),
        );
      }),
    ['agov memory search connection refused', 'agov memory search \'"connection refused" retry* -timeout\' --kind log'],
  );
};

function asked(options: Readonly<Record<string, unknown>>) {
  const tags = options['tag'] === undefined ? {} : { tags: options['tag'] as readonly string[] }; // as its parser makes it
  return { ...tags, ...given(options, 'kind', 'agent', 'space') };
}

/** What was too large to be indexed at once. */
async function catchUp(cli: Cli, app: App): Promise<void> {
  const memory = await app.memory();
  const total = memory.behind();
  if (total === 0) return;
  using progress = progressOf(cli, app.env, 'indexing', (count) => `${count} parts`);
  const until = app.env.monotonic() + catchUpMs;
  while (app.env.monotonic() < until && memory.indexSome()) progress.show(total - memory.behind(), total);
}

/** Gives vectors to what has none, as far as there is time, and asks. */
async function bySense(
  cli: Cli,
  app: App,
  desk: Desk,
  query: Parameters<Desk['search']>[0],
): ReturnType<Desk['search']> {
  const [memory, senses] = [await app.memory(), await app.senses()];
  const stop = new AbortController();
  using _listening = cli.io.signals.listen(() => stop.abort(new AgovError('INPUT_INVALID', { what: 'Stopped.' })));
  if (senses) {
    using progress = progressOf(cli, app.env, 'embedding', (count) => `${count} parts`);
    const until = app.env.monotonic() + embedMs;
    let done = 0;
    for (;;) {
      const parts = memory.unsensed(senses.model, embeddedAtOnce);
      if (parts.length === 0) break;
      if (app.env.monotonic() > until) {
        cli.note('Some parts have no vector yet: search again to give them theirs.');
        break;
      }
      const vectors = await senses.embed(
        parts.map(({ text }) => text),
        stop.signal,
      );
      memory.addVectors(
        senses.model,
        parts.flatMap(({ part }, i) => {
          const vector = vectors[i];
          return vector ? [{ part, vector }] : [];
        }),
      );
      done += parts.length;
      progress.show(done, undefined);
    }
  }
  return desk.searchBySense(query, stop.signal);
}

function rowOf({ id, at, kind, bytes, space, title }: MemoryEntry): readonly string[] {
  return [shortId(id), at.slice(0, 16).replace('T', ' '), kind, bytesText(bytes), space, oneLine(title)];
}

function shown(cli: Cli, { entry, part, line, label, snippet }: SearchHit): string {
  const { bold, dim } = cli.colors;
  const place = `part ${part} of ${entry.parts}, line ${line}`;
  const under = label === '' ? '' : `  ${dim(oneLine(label))}`;
  return `${shortId(entry.id)}  ${bold(oneLine(entry.title))}  ${dim(place)}${under}\n    ${oneLine(snippet)}`;
}
