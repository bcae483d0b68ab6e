/** Checks as rows: the status, which check, what was found, and below it what to do. */
import type { Check, CheckStatus } from '../../../../runtime/preflight/index.ts';
import { type Cli, oneLine } from '../../frame/index.ts';

export function printed(cli: Cli, checks: readonly Check[]): string {
  const rows = checks.map((check) => [colored(cli, check.status), check.name, found(cli, check)]);
  return rows.length === 0 ? '' : cli.table(['', 'CHECK', 'FOUND'], rows);
}

function found(cli: Cli, { what, why, fix }: Check): string {
  const said = [what, why].filter((text) => text !== undefined).map(oneLine);
  return fix === undefined ? said.join(' ') : `${said.join(' ')} ${cli.colors.dim(`→ ${oneLine(fix)}`)}`;
}

export function colored(cli: Cli, status: CheckStatus): string {
  const { green, yellow, red } = cli.colors;
  return { ok: green, warn: yellow, failed: red }[status](status);
}
