import { resolve } from 'node:path';
import type { Finding, SweepReport } from '../../../../context/status/index.ts';
import { type AddCommands, type Cli, oneLine, printable } from '../../frame/index.ts';
import { looking } from './looking.ts';

/** What a person reads of; the rest is counted, and told by `--json`. */
const shownMost = 100;

export const sweepCommand: AddCommands = (status, define) => {
  define(
    status
      .command('sweep [dir]')
      .description('find statuses that are missing, stale or malformed, and what waits for nothing or in a circle')
      .option('--fix', 'make what is missing, add a front matter to words alone, bring up what is stale with a note')
      .option('--as <operator>', 'the operator who does it'),
    (cli, [dir = '.'], { fix, as }) =>
      cli.withApp(async (app) => {
        const by = fix ? { fix: app.operator(as).operator } : {};
        const status = await app.status();
        using look = looking(cli, app.env);
        const report = await status.sweep(resolve(cli.cwd, dir), { ...look.options, ...by });
        look[Symbol.dispose]();
        for (const one of report.unknown) cli.note(one);
        cli.emit(report, () => text(cli, report));
        return report.findings.some(({ severity, fixed }) => severity === 'fault' && fixed === undefined) ? 1 : 0;
      }),
    ['agov status sweep', 'agov status sweep services --fix', 'agov status sweep --json'],
  );
};

function text(cli: Cli, { directories, statuses, findings }: SweepReport): string {
  const { green, red, yellow } = cli.colors;
  const lines = findings.slice(0, shownMost).map((finding) => lineOf(cli, finding));
  const more = findings.length > shownMost ? [`… and ${findings.length - shownMost} more: --json tells all`] : [];
  const open = findings.filter(({ fixed }) => fixed === undefined);
  const faults = open.filter(({ severity }) => severity === 'fault').length;
  const warnings = open.length - faults;
  const fixed = findings.length - open.length;
  const counts = [
    `${statuses} statuses in ${directories} directories`,
    faults > 0 ? red(counted(faults, 'fault')) : green('no faults'),
    ...(warnings > 0 ? [yellow(counted(warnings, 'warning'))] : []),
    ...(fixed > 0 ? [green(`${fixed} mended`)] : []),
  ];
  return [...lines, ...more, counts.join(', ')].join('\n');
}

function lineOf({ colors }: Cli, { kind, severity, path, message, faults, fixed }: Finding): string {
  const { bold, green, red, yellow } = colors;
  const mark = fixed !== undefined ? green('mended ') : severity === 'fault' ? red('fault  ') : yellow('warning');
  const head = `${mark} ${kind.padEnd(10)} ${bold(oneLine(path))}`;
  if (faults !== undefined && fixed === undefined) {
    return [
      head,
      ...faults.flatMap(({ shown }) =>
        printable(shown)
          .split('\n')
          .map((line) => `    ${line}`),
      ),
    ].join('\n');
  }
  return `${head}\n    ${oneLine(message)}${fixed === undefined ? '' : ` It was ${fixed}.`}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
