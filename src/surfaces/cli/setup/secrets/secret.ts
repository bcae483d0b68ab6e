import { text } from 'node:stream/consumers';
import { isCancel, password } from '@clack/prompts';
import { AgovError, isoTime, Secret } from '../../../../kernel/index.ts';
import type { AddCommands, Cli } from '../../frame/index.ts';

export const secretCommands: AddCommands = (program, define) => {
  const secret = program.command('secret').description('store secrets that agents get by lease, never by heart');

  define(
    secret
      .command('set <path>')
      .description('store a value, from a prompt or from standard input; never from an argument')
      .option('--as <operator>', 'the operator who does it'),
    (cli, [path = ''], { as }) =>
      cli.withApp(async (app) => {
        const by = app.operator(as);
        const value = new Secret(await readValue(cli, path));
        // Opened first: a change that could not be recorded must not be made.
        const ledger = await app.ledger();
        const info = await (await app.secrets()).set(path, value);
        await ledger.append({
          kind: 'secret',
          body: { step: 'stored', path, version: info.version, ...by },
        });
        cli.emit(info, () => `Stored ${path}, version ${info.version}.`);
      }),
    ['agov secret set dev/db', 'pass show db | agov secret set dev/db'],
  );

  define(secret.command('list [prefix]').description('names and versions; no values'), (cli, [prefix]) =>
    cli.withApp(async (app) => {
      const found = await (await app.secrets()).list(prefix);
      cli.emit(found, () => {
        if (found.length === 0) return 'No secrets yet. Store one: agov secret set dev/NAME';
        return cli.table(
          ['PATH', 'VERSION', 'CHANGED'],
          found.map((s) => [s.path, String(s.version), isoTime(s.changedAt).slice(0, 19)]),
        );
      });
    }),
  );

  define(
    secret
      .command('remove <path>')
      .description('remove a secret and end its leases')
      .option('--as <operator>', 'the operator who does it'),
    (cli, [path = ''], { as }) =>
      cli.withApp(async (app) => {
        const by = app.operator(as);
        const ledger = await app.ledger();
        await (await app.secrets()).remove(path);
        await ledger.append({ kind: 'secret', body: { step: 'removed', path, ...by } });
        cli.emit({ removed: path }, () => `Removed ${path}; its leases have ended.`);
      }),
  );
};

async function readValue(cli: Cli, path: string): Promise<string> {
  if (cli.io.stdin.isTTY) {
    const typed = await password({ message: `Value of ${path}` });
    if (isCancel(typed)) throw new AgovError('USAGE', { what: 'Nothing was stored.', why: 'The prompt was left.' });
    return typed;
  }
  // The newline at the end is the pipe's, not the value's.
  return (await text(limited(cli.io.stdin))).replace(/\r?\n$/, '');
}

const maxInput = 65_537;

async function* limited(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of input) {
    size += chunk.length;
    if (size > maxInput) throw new AgovError('INPUT_INVALID', { what: 'The value is over 65,536 bytes.' });
    yield chunk;
  }
}
