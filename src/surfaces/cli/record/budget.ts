import { formatAmount, type Kind, nameOf, type Statement } from '../../../governance/budgets/index.ts';
import { type AddCommands, type Cli, oneLine } from '../frame/index.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-/;

export const budgetCommand: AddCommands = (program, define) => {
  define(
    program
      .command('budget [run-or-agent]')
      .description('what may be spent, what was, what is held for what goes on, and what is left')
      .option('-n, --limit <count>', 'how many budgets, the newest', '20'),
    (cli, [of = ''], options) =>
      cli.withApp(async (app) => {
        const accounts = await app.accounts();
        const limit = Math.max(1, Math.trunc(Number(options['limit'])) || 20);
        const whose = of === '' ? { limit } : uuid.test(of) ? { run: of } : { agent: of };
        const found = accounts.statements(whose);
        cli.emit(found, () => (found.length === 0 ? nothing(of) : sheet(cli, found)));
      }),
    ['agov budget', 'agov budget 0199c2d4-…', 'agov budget builder --json'],
  );
};

function nothing(of: string): string {
  const whose = of === '' ? 'No budget was opened yet' : `There is no budget of ${oneLine(of)}`;
  return `${whose}. Write "budget: { minutes: 30 }" into a pipeline, or into a stage of one.`;
}

function sheet(cli: Cli, statements: readonly Statement[]): string {
  const byRun = Map.groupBy(statements, ({ run }) => run);
  return [...byRun].flatMap(([run, all]) => [`${cli.colors.bold('Run')} ${run}`, rows(cli, all)]).join('\n');
}

function rows(cli: Cli, statements: readonly Statement[]): string {
  const all = statements.flatMap((one) => {
    const kinds = Object.keys(one.limits) as Kind[]; // of limits
    return kinds.map((kind, i) => [
      i === 0 ? `${one.parent === undefined ? '' : '└ '}${oneLine(one.name)}` : '',
      ...line(cli, one, kind),
    ]);
  });
  return cli.table(['BUDGET', 'OF', 'LIMIT', 'USED', 'RESERVED', 'UNKNOWN', 'LEFT'], all);
}

function line(cli: Cli, { limits, used, reserved, unknown, left }: Statement, kind: Kind): string[] {
  const held = kind === 'ms' ? 0 : reserved[kind];
  const lost = kind === 'ms' ? 0 : unknown[kind];
  const rest = left[kind] ?? 0;
  const told = (value: number): string => (value === 0 ? '' : formatAmount(kind, value));
  return [
    nameOf(kind),
    formatAmount(kind, limits[kind] ?? 0),
    formatAmount(kind, used[kind] - held - lost),
    told(held),
    told(lost),
    rest === 0 ? cli.colors.red(formatAmount(kind, 0)) : formatAmount(kind, rest),
  ];
}
