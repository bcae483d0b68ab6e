import { AgovError } from '../../../../kernel/index.ts';
import type { AddCommands } from '../../frame/index.ts';
import { bytesText, progressOf } from '../progress.ts';
import { asOperator, given, inSpace } from './options.ts';

export const keepCommands: AddCommands = (memory, define) => {
  define(
    memory
      .command('link <id> <other>')
      .description('say that one entry has to do with another')
      .option('--as <relation>', 'how', 'relates-to')
      .option('--by <operator>', 'the operator who says so'),
    (cli, [id = '', other = ''], options) =>
      cli.withApp(async (app) => {
        const desk = await app.memoryOf(app.operator(options['by']));
        const link = await desk.link(id, other, options['as']);
        cli.emit(link, () => `${link.source} ${link.relation} ${link.target}`);
      }),
    ['agov memory link 9f3a61c2d4e8 77ab01c2d3e4 --as fixes'],
  );

  define(
    memory
      .command('forget <id>')
      .description('erase the content of an entry; that it was there, and who erased it, stays on record')
      .option('--reason <text>', 'why (required); recorded')
      .option(...asOperator),
    (cli, [id = ''], { reason, as }) => {
      if (!reason) {
        throw new AgovError('USAGE', {
          what: 'Forgetting needs a reason.',
          fix: `agov memory forget ${id} --reason "…"`,
        });
      }
      return cli.withApp(async (app) => {
        const desk = await app.memoryOf(app.operator(as));
        const done = await desk.forget(id, reason);
        cli.emit(done, () =>
          done.erased
            ? `Forgotten: ${done.id}`
            : `Forgotten: ${done.id}. Another entry has the same content, which stays for it.`,
        );
      });
    },
    ['agov memory forget 9f3a61c2d4e8 --reason "holds personal data"'],
  );

  define(
    memory
      .command('stats')
      .description('how much is remembered, and what it costs on disk')
      .option(...inSpace)
      .option(...asOperator),
    (cli, _args, options) =>
      cli.withApp(async (app) => {
        const desk = await app.memoryOf(app.operator(options['as']));
        const stats = await desk.stats(given(options, 'space'));
        cli.emit(stats, () => {
          const { entries, parts, bytes, stored, forgotten, unindexed } = stats;
          const lines = [`${entries} entries in ${parts} parts: ${bytesText(bytes)}, ${bytesText(stored)} on disk`];
          if (forgotten > 0) lines.push(`${forgotten} forgotten`);
          if (unindexed > 0) lines.push(`${unindexed} parts are still to be indexed: agov memory gc`);
          const row = (name: string, one: { entries: number; bytes: number }) => [
            name,
            String(one.entries),
            bytesText(one.bytes),
          ];
          const spaces = cli.table(
            ['SPACE', 'ENTRIES', 'SIZE'],
            stats.spaces.map((one) => row(one.space, one)),
          );
          const kinds = cli.table(
            ['KIND', 'ENTRIES', 'SIZE'],
            stats.kinds.map((one) => row(one.kind, one)),
          );
          return entries === 0 ? lines.join('\n') : [...lines, '', spaces, '', kinds].join('\n');
        });
      }),
    ['agov memory stats --json'],
  );

  define(
    memory
      .command('gc')
      .description('erase what has expired and what nobody names, and index what is still to be')
      .option(...asOperator),
    (cli, _args, { as }) =>
      cli.withApp(async (app) => {
        app.operator(as);
        const stop = new AbortController();
        using _listening = cli.io.signals.listen(() => stop.abort(stopped()));
        using progress = progressOf(cli, app.env, 'tidying', (count) => `${count}`);
        const done = await (await app.memory()).gc({
          signal: stop.signal,
          onProgress: progress.show,
          // A signal is heard between two steps.
          pause: () => new Promise((resolve) => setImmediate(resolve)),
        });
        progress[Symbol.dispose]();
        cli.emit(done, () => `${done.expired} expired, ${done.erased} erased, ${done.indexed} parts indexed`);
      }),
    ['agov memory gc'],
  );
};

function stopped(): AgovError {
  return new AgovError('INPUT_INVALID', { what: 'Stopped: what was done so far is done, and the next gc goes on.' });
}
