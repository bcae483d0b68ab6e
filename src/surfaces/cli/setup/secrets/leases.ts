import { isoTime } from '../../../../kernel/index.ts';
import type { AddCommands } from '../../frame/index.ts';

export const leasesCommand: AddCommands = (program, define) => {
  define(
    program
      .command('leases')
      .description('leases that live, and those that could not be ended, with the reason; these are tried again'),
    (cli) =>
      cli.withApp(async (app) => {
        const found = await (await app.secrets()).leases();
        cli.emit(found, () => {
          if (found.length === 0) return 'No lease lives.';
          return cli.table(
            ['PATH', 'VERSION', 'INTENT', 'UNTIL', 'STATE'],
            found.map(({ path, version, intent, expiresAt, unended }) => [
              ...[path, String(version), intent, isoTime(expiresAt).slice(0, 19)],
              unended === undefined ? 'live' : `not ended: ${unended}`,
            ]),
          );
        });
      }),
    ['agov leases', 'agov leases --json'],
  );
};
