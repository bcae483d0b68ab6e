import { formatDuration } from '../../../kernel/index.ts';
import { type AddCommands, printable } from '../frame/index.ts';

export const doctorCommand: AddCommands = (program, define) => {
  define(
    program
      .command('doctor')
      .description('look at ledger, state, policy, secrets, sandbox, disk and clock; what is wrong and what to do'),
    (cli) =>
      cli.withApp(async (app) => {
        const results = await app.probe();
        const worst = results.some((r) => r.verdict === 'fail') ? 'fail' : 'ok';
        cli.emit({ verdict: worst, probes: results }, () => {
          const { green, yellow, red } = cli.colors;
          const color = { ok: green, warn: yellow, fail: red };
          const rows = results.map((r) => [
            color[r.verdict](r.verdict),
            r.probe,
            formatDuration(r.ms),
            printable(r.remedy ? `${r.figure}. ${r.remedy}` : r.figure),
          ]);
          return cli.table(['', 'PROBE', 'TOOK', 'FOUND'], rows);
        });
        return worst === 'fail' ? 1 : 0;
      }),
    ['agov doctor', 'agov doctor --json'],
  );
};
