/** What the commands over Vault's layout share: whether there is a Vault, which audit files, and how it is told. */
import type { Difference } from '../../../../adapters/authority/port.ts';
import type { App } from '../../../../app/index.ts';
import { AgovError, type Json, type JsonObject } from '../../../../kernel/index.ts';
import type { LayoutReport } from '../../../../runtime/bootstrap/index.ts';
import { type Cli, oneLine } from '../../frame/index.ts';

export const inOrder = 'Everything in Vault is as it should be.';

/** @throws CONFIG_INVALID */
export async function authorityOf(app: App): Promise<NonNullable<Awaited<ReturnType<App['authority']>>>> {
  const authority = await app.authority();
  if (authority) return authority;
  throw new AgovError('CONFIG_INVALID', {
    what: 'This project has no Vault.',
    fix: 'Name it in agov.yaml, under secrets.vault.address.',
  });
}

export const auditOption = ['--audit-file <path>', 'an audit log on Vault’s host; at least two or none'] as const;

/** Each use of the option adds a path. */
export function collect(path: string, before: readonly string[] = []): readonly string[] {
  return [...before, path];
}

/** @throws USAGE */
export function auditFiles(paths: readonly string[] = []): readonly string[] {
  const files = [...new Set(paths)];
  const relative = files.find((path) => !path.startsWith('/'));
  if (relative !== undefined) {
    throw new AgovError('USAGE', {
      what: `"${relative}" is no absolute path.`,
      why: 'The file is made by Vault, on the host where Vault runs.',
      fix: 'Write it like --audit-file /var/log/vault/audit-1.log',
    });
  }
  if (files.length !== 1) return files;
  throw new AgovError('USAGE', {
    what: 'One audit file is not enough.',
    why: 'While its only audit device fails, Vault answers no request at all.',
    fix: 'Give --audit-file twice, with paths on two disks.',
  });
}

/** One line for each member that is not what it should be. */
export function differenceTable(cli: Cli, differences: readonly Difference[]): string {
  const rows = differences.flatMap(({ path, kind, is, should }) => {
    const members = [...new Set([...Object.keys(is ?? {}), ...Object.keys(should ?? {})])];
    const lines = members.flatMap((member) => {
      const [now, then] = [shown(is, member), shown(should, member)];
      return now === then ? [] : [[path, kind, member, now, then]];
    });
    return lines.length > 0 ? lines : [[path, kind, '', is ? 'there' : '–', should ? 'there' : '–']];
  });
  const table = cli.table(
    ['PATH', 'WHAT', 'MEMBER', 'IS', 'SHOULD BE'],
    rows.map((row) => row.map(oneLine)),
  );
  return [table, ...differences.flatMap(({ path, left }) => (left ? [toSettle(path, left)] : []))].join('\n\n');
}

/** What was done, item by item. The exit code. */
export function told(cli: Cli, { changed, failed, left, untried }: LayoutReport): number {
  const failures = failed.map(({ difference, error }) => ({ ...difference, error: error.toJSON() }));
  const open = failed.length + left.length + untried.length;
  cli.emit({ changed, failed: failures, left, untried }, () => {
    const { green, red, yellow } = cli.colors;
    const lines = [
      ...changed.map(({ kind, path }) => `${green(done[kind])} ${oneLine(path)}`),
      ...failed.map(({ difference: { path }, error }) => {
        const about = [error.what, error.why, error.fix].flatMap((text) => (text ? [`\n  ${oneLine(text)}`] : []));
        return `${red('failed')} ${oneLine(path)}${about.join('')}`;
      }),
      ...left.flatMap((one) => (one.left ? [`${yellow('left')} ${toSettle(one.path, one.left)}`] : [])),
      ...untried.map(({ path }) => `${yellow('waits')} ${oneLine(path)}`),
    ];
    return [...lines, open === 0 ? inOrder : 'Settle that and run it again: it goes on from here.'].join('\n');
  });
  return open === 0 ? 0 : 1;
}

const done: Readonly<Record<Difference['kind'], string>> = { missing: 'made', differs: 'changed', extra: 'removed' };

function toSettle(path: string, { why, fix }: NonNullable<Difference['left']>): string {
  return [path, `  ${why}`, `  ${fix}`].map(oneLine).join('\n');
}

function shown(state: JsonObject | null, member: string): string {
  const value: Json | undefined = state && Object.hasOwn(state, member) ? state[member] : undefined;
  if (value === undefined) return '–';
  if (typeof value === 'string') return value;
  const plain = Array.isArray(value) && value.every((one) => typeof one === 'string');
  return plain ? value.join(', ') || 'none' : JSON.stringify(value);
}
