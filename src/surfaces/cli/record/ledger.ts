import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { App, PublicKey } from '../../../app/index.ts';
import { AgovError, messageOf } from '../../../kernel/index.ts';
import { type AddCommands, type Cli, printable } from '../frame/index.ts';

export const ledgerCommands: AddCommands = (ledger, define) => {
  define(
    ledger
      .command('verify')
      .description('check every byte of the record, and where it broke if it did')
      .option('--head <file>', 'a signed head saved earlier: today’s log must extend it'),
    (cli, _args, { head }) =>
      cli.withApp(async (app) => {
        const report = (await app.record()).verify(head === undefined ? undefined : readHead(resolve(cli.cwd, head)));
        cli.emit(report, () => {
          const { green, red } = cli.colors;
          if (report.ok) {
            return `${green('verified')}: ${report.size} entries, root ${report.root}, signed by ${report.origin}`;
          }
          const lines = report.problems.map(({ seq, what }) => `  at entry ${seq}: ${what}`);
          return [`${red('BROKEN')}: the record does not verify.`, ...lines.map(printable)].join('\n');
        });
        return report.ok ? 0 : 1;
      }),
    ['agov ledger head > monday.head', 'agov ledger verify --head monday.head'],
  );

  define(
    ledger.command('head').description('print the newest signed head (a C2SP checkpoint); keep it somewhere else'),
    (cli) =>
      cli.withApp(async (app) => {
        const head = (await app.record()).head();
        cli.emit(head, () => head.note);
      }),
    ['agov ledger head > monday.head'],
  );

  define(
    ledger.command('export <dir>').description('write the log as C2SP tlog-tiles, for verifiers that are not ours'),
    (cli, [dir = '']) =>
      cli.withApp(async (app) => {
        const target = resolve(cli.cwd, dir);
        const progress = progressLine(cli);
        const done = await (await app.record()).exportTo(target, progress.show);
        progress.clear();
        cli.emit(
          { dir: target, ...done },
          () => `Exported ${done.entries} entries in ${done.files} files to ${target}`,
        );
      }),
    ['agov ledger export ./log'],
  );

  define(
    ledger.command('prove <seq>').description('print a C2SP tlog-proof that an entry is in the log'),
    (cli, [seq = '']) =>
      cli.withApp(async (app) => {
        if (!/^\d{1,15}$/.test(seq)) {
          throw new AgovError('USAGE', {
            what: `"${seq.slice(0, 40)}" is not the number of an entry.`,
            fix: 'See "agov ledger tail" for their numbers.',
          });
        }
        const proof = (await app.record()).proveInclusion(Number(seq));
        cli.emit({ seq: Number(seq), proof }, () => proof);
      }),
    ['agov ledger prove 42 > entry.tlog-proof'],
  );

  define(
    ledger
      .command('key')
      .description(
        'print the public key that the heads are signed with, and on standard error where the private one is',
      )
      .option('--pem', 'as PEM, for openssl')
      .option('--pin <line>', 'where the pin of a key in Vault was lost: pin it anew from the line that this printed')
      .option('--as <operator>', 'the operator who does it'),
    (cli, _args, { pem, pin, as }) =>
      cli.withApp(async (app) => {
        const key = pin === undefined ? app.publicKey() : await pinned(app, pin, as);
        cli.note(`The private key: ${key.place}`);
        cli.emit(key, () => (pem ? key.pem : key.line));
      }),
    ['agov ledger key > ledger.pub', 'agov ledger key --pin "$(cat ledger.pub)"'],
  );

  define(ledger.command('stats').description('how much is recorded, by kind'), (cli) =>
    cli.withApp(async (app) => {
      const stats = (await app.record()).stats();
      cli.emit(stats, () => {
        const rows = Object.entries(stats.byKind).map(([kind, count]) => [kind, String(count)]);
        const totals = `${stats.entries} entries, ${stats.bytes} bytes, ${stats.firstAt ?? '–'} to ${stats.lastAt ?? '–'}`;
        return rows.length === 0 ? totals : `${totals}\n\n${cli.table(['KIND', 'ENTRIES'], rows)}`;
      });
    }),
  );
};

/** Whoever could have another key believed could rewrite the record: an operator's act, and on record with that key. */
async function pinned(app: App, line: string, as: string | undefined): Promise<PublicKey> {
  const by = app.operator(as);
  const key = await app.pinKey(line);
  await (await app.ledger()).append({ kind: 'authority', body: { ...by, step: 'pinned', key: key.line } });
  return key;
}

function readHead(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new AgovError('NOT_FOUND', { what: `The head ${path} cannot be read.`, why: messageOf(error), cause: error });
  }
}

/** A counter on one line of the terminal; nothing where there is none. */
function progressLine(cli: Cli): { show(done: number, total: number): void; clear(): void } {
  const { stderr } = cli.io;
  const on = stderr.isTTY === true && !cli.json;
  return {
    show: (done, total) => void (on && stderr.write(`\r${done} of ${total} entries`)),
    clear: () => void (on && stderr.write('\r\u001b[K')),
  };
}
