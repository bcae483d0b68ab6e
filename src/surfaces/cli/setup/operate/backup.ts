import { join, resolve } from 'node:path';
import type { VerifyReport } from '../../../../governance/ledger/index.ts';
import { isoTime } from '../../../../kernel/index.ts';
import { findRoot, keysFolder } from '../../../../project.ts';
import { backUp, checkBackup, restore } from '../../../../runtime/backup/index.ts';
import { type AddCommands, type Cli, printable } from '../../frame/index.ts';

export const backupCommands: AddCommands = (program, define) => {
  define(
    program
      .command('backup <dir>')
      .description('copy the record, secrets and artifacts as of now into a new folder; safe while agents work')
      .option('--keys <dir>', 'copy the keys too, into another folder: whoever has both can sign and read secrets'),
    (cli, [dir = ''], { keys }) =>
      cli.withApp(async (app) => {
        const { root, data, keys: keysFrom, instance } = app.project;
        const head = (await app.record()).head().note;
        const parts = { root, data, keys: keysFrom, instance, head, at: isoTime(app.env.now()) };
        const target = resolve(cli.cwd, dir);
        const manifest = await backUp(parts, target, keys === undefined ? undefined : resolve(cli.cwd, keys));
        const bytes = manifest.files.reduce((sum, { size }) => sum + size, 0);
        cli.emit({ dir: target, keys: keys !== undefined, ...manifest }, () =>
          [
            `Copied ${manifest.files.length} files, ${bytes} bytes, to ${target}`,
            keys === undefined
              ? 'Without the keys: keep those of --keys elsewhere.'
              : `Keys are in ${resolve(cli.cwd, keys)}`,
          ].join('\n'),
        );
      }),
    ['agov backup /backup/monday', 'agov backup /backup/monday --keys /safe/monday'],
  );

  define(
    program
      .command('restore <dir>')
      .description('put a backup into a project that has no data, and hold it against the saved head')
      .option('--keys <dir>', 'keys from a backup, put where there are none'),
    async (cli, [dir = ''], { keys }) => {
      const from = resolve(cli.cwd, dir);
      const manifest = await checkBackup(from);
      const data = join(findRoot(cli.cwd), '.agov');
      const keysOf = (instance: string): string => keysFolder(cli.io.environment, instance);
      await restore(from, manifest, { data, keysOf }, keys === undefined ? undefined : resolve(cli.cwd, keys));
      const report = await verified(cli, manifest.head);
      cli.emit({ ...report, at: manifest.at, files: manifest.files.length }, () => told(cli, manifest.at, report));
      return report.ok ? 0 : 1;
    },
    ['agov restore /backup/monday', 'agov restore /backup/monday --keys /safe/monday'],
  );
};

/** Against the head of the backup, and against the witness outside the project where there is one. */
function verified(cli: Cli, head: string): Promise<VerifyReport> {
  return cli.withApp(async (app) => (await app.record()).verify(head));
}

function told(cli: Cli, at: string, report: VerifyReport): string {
  const { green, red } = cli.colors;
  if (report.ok) return `${green('restored')}: ${report.size} entries as of ${at}, verified up to the saved head`;
  return [
    `${red('restored, and it does not verify')}: the backup is of ${at}.`,
    ...report.problems.slice(0, 20).map(({ seq, what }) => `  at entry ${seq}: ${printable(what)}`),
    'Nothing is allowed with it. If what is missing is lost for good, see docs/production.md.',
  ].join('\n');
}
