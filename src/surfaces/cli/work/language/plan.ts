import { type Limits, limitsOf, limitsText } from '../../../../governance/budgets/index.ts';
import { formatDuration } from '../../../../kernel/index.ts';
import type { Budget, Pipeline } from '../../../../schemas/index.ts';
import {
  mustParse,
  outlookOf,
  type PlannedUnit,
  planPipeline,
  readParameters,
  turnOf,
} from '../../../../work/pipeline/index.ts';
import { type AddCommands, type Cli, oneLine } from '../../frame/index.ts';
import { known, pairs, readPipeline } from '../file.ts';

export const planCommand: AddCommands = (pipeline, define) => {
  define(
    pipeline
      .command('plan <file>')
      .description('what a run would do, by whom, and what the rules would say to it; nothing starts')
      .option('-p, --param <name=value...>', 'a parameter of the pipeline'),
    (cli, [file = ''], options) =>
      cli.withApp(async (app) => {
        const began = app.env.monotonic();
        const parsed = mustParse(readPipeline(cli, file), file, await known(cli, app, file));
        const params = readParameters(parsed, pairs(options['param'] ?? []));
        const stop = new AbortController();
        using _signals = cli.io.signals.listen(() => stop.abort());
        const explaining = { explainTool: await app.explainTool(), explainAgent: await app.explainAgent() };
        const parts = { ...app, ...explaining, governor: await app.governor() };
        const units = await planPipeline(
          parts,
          outlookOf(parsed, params),
          await (await app.roster()).list(),
          stop.signal,
        );
        const denied = units.filter(({ verdict, expected }) => verdict === 'deny' && !expected);
        const budgets = budgetsOf(parsed);
        const waiting = units.some(({ waits }) => waits.length > 0);
        const turn = turnOf(parsed, params);
        const found = { units, budgets, ...(turn ? { concurrency: turn } : {}) };
        cli.emit({ pipeline: parsed.name, ok: denied.length === 0, ...found }, () =>
          [
            cli.table(
              ['STAGE', 'AGENT', 'DOES', ...(waiting ? ['WAITS FOR'] : []), 'VERDICT', 'WHY'],
              units.map((unit) => row(cli, unit, waiting)),
            ),
            '',
            ...budgets.map(({ of, limits }) => `Budget of ${of}: ${limitsText(limits)}`),
            ...(turn ? [`One run at a time in group "${turn.group}"; a second one ${whenBusy[turn.busy]}.`] : []),
            summary(cli, units, denied.length, formatDuration(app.env.monotonic() - began)),
          ].join('\n'),
        );
        return denied.length === 0 ? 0 : 1;
      }),
    ['agov pipeline plan pipelines/release.yaml', 'agov pipeline plan pipelines/release.yaml --param version=1.4'],
  );
};

function budgetsOf({ name, budget, stages }: Pipeline): readonly { readonly of: string; readonly limits: Limits }[] {
  const of = (whose: string, one: Budget | undefined) => (one ? [{ of: whose, limits: limitsOf(one) }] : []);
  return [...of(name, budget), ...Object.entries(stages).flatMap(([stage, one]) => of(`stage ${stage}`, one.budget))];
}

const whenBusy = { wait: 'waits its turn', cancel: 'ends the first', refuse: 'is refused' } as const;

function row(
  cli: Cli,
  { unit, agent, tier, does, verdict, expected, reason, waits }: PlannedUnit,
  waiting: boolean,
): string[] {
  const { green, yellow, red, dim } = cli.colors;
  const color = { allow: green, ask: yellow, deny: expected ? green : red, later: dim, skip: dim };
  const before = waiting ? [oneLine(waits.join(', '))] : [];
  return [unit, `${agent} ${tier}`, oneLine(does), ...before, color[verdict](verdict), oneLine(reason)];
}

function summary(cli: Cli, units: readonly PlannedUnit[], denied: number, took: string): string {
  const count = (verdict: PlannedUnit['verdict']): number => units.filter((unit) => unit.verdict === verdict).length;
  const parts = [
    `${count('allow')} allowed`,
    `${count('ask')} would ask`,
    `${denied} would be denied`,
    ...(count('deny') > denied ? [`${count('deny') - denied} denied as expected`] : []),
    `${count('later')} can be told at the run alone`,
    `${count('skip')} skipped`,
  ];
  const line = `${parts.join(', ')}; looked at in ${took}.`;
  return denied === 0 ? line : `${line}\n${cli.colors.red('It would fail')} at what is denied: see "agov explain".`;
}
