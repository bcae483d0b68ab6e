import { formatAmount, nameOf } from '../../../../../governance/budgets/index.ts';
import type { VerifyReport } from '../../../../../governance/ledger/index.ts';
import { formatDuration } from '../../../../../kernel/index.ts';
import type { RunReport } from '../../../../../work/pipeline/index.ts';
import { type Cli, oneLine } from '../../../frame/index.ts';

/** The end of a run on one screen. `verified` is left out where the record was not read through. */
export function printReport(cli: Cli, report: RunReport, verified: VerifyReport | undefined): void {
  cli.emit(verified ? { ...report, verified } : report, () =>
    [
      ...header(cli, report),
      '',
      stages(cli, report),
      '',
      ...decisions(cli, report),
      ...spending(report),
      ...(verified ? ['', ...record(cli, verified)] : []),
    ].join('\n'),
  );
}

function header(cli: Cli, { pipeline, run, status, reason, startedAt, endedAt }: RunReport): string[] {
  const { bold, green, red, yellow } = cli.colors;
  const color = status === 'ok' ? green : status === 'failed' ? red : yellow;
  const took = endedAt ? ` in ${formatDuration(Date.parse(endedAt) - Date.parse(startedAt))}` : '';
  const line = `\n${bold(pipeline)} ${color(status)}${took}  ${cli.colors.dim(run)}`;
  return reason ? [line, oneLine(reason)] : [line];
}

function stages(cli: Cli, { stages: all }: RunReport): string {
  const { green, red, dim, yellow } = cli.colors;
  const color = { ok: green, failed: red, denied: red, open: yellow, retrying: yellow, pending: dim, skipped: dim };
  const elsewhere = all.some(({ worker }) => worker !== undefined);
  const rows = all.map((s) => [
    s.stage,
    s.agent,
    s.status === 'pending' && s.awaiting
      ? yellow('waits')
      : color[s.status](s.status === 'pending' ? 'not run' : s.status),
    s.durationMs === undefined ? '' : formatDuration(s.durationMs),
    ...(elsewhere ? [s.worker?.name ?? ''] : []),
    oneLine(s.does),
  ]);
  return cli.table(['STAGE', 'AGENT', 'STATUS', 'TOOK', ...(elsewhere ? ['ON'] : []), 'DOES'], rows);
}

function decisions(cli: Cli, { decisions: { allow, ask, deny }, refused, approvals }: RunReport): string[] {
  const { red, yellow, dim } = cli.colors;
  const lines = [`Decisions: ${allow} allowed, ${ask} asked, ${deny} denied`];
  for (const r of refused) {
    lines.push(`  ${red('refused')} ${r.agent}: ${oneLine(`${r.action} ${r.resource}`)}`);
    lines.push(`    ${oneLine(r.reason)}${r.policies.length > 0 ? dim(` (${r.policies.join(', ')})`) : ''}`);
  }
  for (const a of approvals) {
    lines.push(
      `  ${yellow('approved')} by ${a.operator} (${a.via}): ${oneLine(`${a.intent.action} ${a.intent.resource}`)}`,
    );
  }
  return lines;
}

/** `Spent: actions 5 of 20, tokens 1,200`; nothing where only the decisions above could be told once more. */
function spending({ spent, budget, startedAt, endedAt }: RunReport): string[] {
  const ms = endedAt === undefined ? 0 : Date.parse(endedAt) - Date.parse(startedAt);
  const all = { ...spent, ms };
  const told = (['actions', 'tokens', 'moneyMicros', 'ms'] as const).flatMap((kind) => {
    const limit = budget?.[kind];
    if (limit === undefined && (all[kind] === 0 || kind === 'actions' || kind === 'ms')) return [];
    const of = limit === undefined ? '' : ` of ${formatAmount(kind, limit)}`;
    return [`${nameOf(kind)} ${formatAmount(kind, all[kind])}${of}`];
  });
  return told.length === 0 ? [] : [`Spent: ${told.join(', ')}`];
}

function record(cli: Cli, verified: VerifyReport): string[] {
  const { green, red, dim } = cli.colors;
  if (!verified.ok) return [`${red('BROKEN')}: the record does not verify. See: agov ledger verify`];
  return [
    `Ledger: ${verified.size} entries, head ${dim(verified.root)}`,
    `${green('verified')}  ${dim(verified.origin)}`,
  ];
}
