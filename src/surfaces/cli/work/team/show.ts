import { AgovError, formatDuration } from '../../../../kernel/index.ts';
import { mustTeam, type ReportedAgent, type TeamReport, teamReport } from '../../../../work/teams/index.ts';
import { type AddCommands, type Cli, oneLine, printable } from '../../frame/index.ts';

export const showCommand: AddCommands = (team, define) => {
  define(
    team
      .command('show <run>')
      .description('a run: who started whom, what each spent and came to, and who wrote what to whom; or a team'),
    (cli, [of = '']) =>
      cli.withApp(async (app) => {
        const parts = { ledger: await app.ledger(), budgets: await app.budgets(), artifacts: app.artifacts };
        const report = await teamReport(parts, of);
        if (report.agents.length > 0) {
          cli.emit(report, () => [treeOf(cli, report), messagesOf(cli, report)].filter(Boolean).join('\n\n'));
          return;
        }
        if (!/^[a-z0-9._-]+$/.test(of) || /^[0-9a-f-]{36}$/.test(of))
          throw new AgovError('NOT_FOUND', {
            what: `No agent started another in run ${oneLine(of)}.`,
            fix: 'See "agov ledger tail".',
          });
        const { value, leadTier, roles } = mustTeam(of, app.knownToTeams);
        cli.emit(value, () => {
          const rows = [...roles.values()].map(({ role, definition, tier, member, reportsTo }) => [
            role,
            String(member.count),
            member.team === undefined ? definition : `team ${member.team}`,
            tier,
            reportsTo ?? value.lead,
            member.share === undefined ? '' : `${member.share} %`,
          ]);
          return `${value.name}: ${value.strategy}, led by ${value.lead} (${leadTier})\n\n${cli.table(['ROLE', 'COUNT', 'RUNS', 'TIER', 'REPORTS TO', 'SHARE'], rows)}`;
        });
      }),
    ['agov team show review', 'agov team show 0199c2d4-5e6f-7a8b-9c0d-1e2f3a4b5c6d'],
  );
};

export function treeOf(cli: Cli, { agents }: TeamReport): string {
  if (agents.length === 0) return '';
  const under = Map.groupBy(agents, ({ parent }) => parent ?? '');
  const rows: string[][] = [];
  const add = (one: ReportedAgent, level: number): void => {
    rows.push([
      `${'  '.repeat(level)}${one.name}`,
      one.tier,
      stateOf(cli, one),
      one.ms === undefined ? '' : formatDuration(one.ms),
      one.spent,
      oneLine(one.reason ?? '').slice(0, 60),
    ]);
    for (const child of under.get(one.name) ?? []) add(child, level + 1);
  };
  for (const root of under.get('') ?? []) add(root, 0);
  return cli.table(['AGENT', 'TIER', 'STATE', 'TOOK', 'SPENT', ''], rows);
}

function stateOf(cli: Cli, { state }: ReportedAgent): string {
  if (state === 'running' || state === 'leads') return cli.colors.yellow(state);
  return state === 'ok' ? cli.colors.green(state) : cli.colors.red(state);
}

function messagesOf(cli: Cli, { messages }: TeamReport): string {
  if (messages.length === 0) return '';
  return cli.table(
    ['AT', 'FROM', 'TO', 'WROTE'],
    messages.map(({ at, from, to, text }) => [at.slice(11, 19), from, to, oneLine(printable(text)).slice(0, 100)]),
  );
}
