import type { App } from '../../../../app/index.ts';
import { formatDuration } from '../../../../kernel/index.ts';
import { type ProbeResult, worst } from '../../../../runtime/health/index.ts';
import type { AskedStatus } from '../../../http/index.ts';
import { type AddCommands, type Cli, printable } from '../../frame/index.ts';
import { askServe } from './serve.ts';

/** A look that takes longer is named while it lasts. */
const patienceMs = 1000;

export const doctorCommand: AddCommands = (program, define) => {
  define(
    program
      .command('doctor')
      .description('look at all that decisions rest on, servers and clocks included; what is wrong and what to do'),
    (cli) =>
      cli.withApp(async (app) => {
        const results = await patiently(cli, app);
        const verdict = worst(results);
        const serve = (await askServe(app)).status;
        cli.emit({ verdict, probes: results, ...(serve ? { serve } : {}) }, () => {
          const rows = results.map((r) => [
            colored(cli, r.verdict),
            r.probe,
            formatDuration(r.ms),
            printable(r.remedy ? `${r.figure}. ${r.remedy}` : r.figure),
          ]);
          return cli.table(['', 'PROBE', 'TOOK', 'FOUND'], [...rows, ...(serve ? [serveRow(cli, serve)] : [])]);
        });
        return verdict === 'fail' ? 1 : 0;
      }),
    ['agov doctor', 'agov doctor --json'],
  );
};

async function patiently(cli: Cli, app: App): Promise<readonly ProbeResult[]> {
  let slow: Disposable | undefined;
  const onProbe = (probe: ProbeResult['probe']): void => {
    slow?.[Symbol.dispose]();
    slow = app.env.timer(() => cli.note(`Looking at ${probe} …`), patienceMs);
  };
  try {
    return await app.probe({ onProbe });
  } finally {
    slow?.[Symbol.dispose]();
  }
}

/** Breakers live in the process that asks all day; those of this command have just been made. */
function serveRow(cli: Cli, { ready, reasons, pid, breakers }: AskedStatus): string[] {
  const open = breakers.map(({ name, state }) => `${name} ${state}`).join(', ') || 'none';
  const figure = `process ${pid}, breakers: ${open}${ready ? '' : `. Not ready: ${reasons.join('; ')}`}`;
  return [colored(cli, ready ? 'ok' : 'warn'), 'serve', '', printable(figure)];
}

function colored(cli: Cli, verdict: 'ok' | 'warn' | 'fail'): string {
  const { green, yellow, red } = cli.colors;
  return { ok: green, warn: yellow, fail: red }[verdict](verdict);
}
