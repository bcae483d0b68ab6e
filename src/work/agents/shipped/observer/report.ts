/** The observation as a page for people. */
import { code, count, plain, table } from '../frame/text.ts';
import type { Observation } from './observation.ts';
import type { Inventory } from './stock/inventory.ts';

const mostRows = 50;

export function reportOf({ findings, inventory, secrets, drift, advice }: Observation): string {
  const parts = [
    '# Observation',
    findings.length === 0 ? 'Nothing was found.' : `${count(findings.length, 'finding')}.`,
    ...(advice && 'summary' in advice ? ['## In short, by a model', plain(advice.summary, 2000)] : []),
    ...(findings.length === 0 ? [] : ['## Findings', found(findings)]),
    ...(inventory ? ['## Inventory', ...stock(inventory)] : []),
    ...(secrets
      ? ['## Looked at', `${count(secrets.files, 'file')} and ${count(secrets.commits, 'commit')} for secrets.`]
      : []),
    ...(drift?.states ?? []).map(
      ({ folder, state, resources, backend }) =>
        `${code(folder)}: ${state === undefined ? `no state here${backend === undefined ? '' : ` (${plain(backend)})`}` : `${count(resources, 'resource')} in ${code(state)}`}.`,
    ),
  ];
  return `${parts.join('\n\n')}\n`;
}

function found(findings: Observation['findings']): string {
  const rows = findings
    .slice(0, mostRows)
    .map(({ severity, kind, what, where }) => [severity, kind, plain(what).replaceAll('|', '¦'), code(where)]);
  const rest = findings.length - rows.length;
  const all = table(['severity', 'kind', 'what', 'where'], rows);
  return rest > 0 ? `${all}\n\nAnd ${rest} more.` : all;
}

function stock({ files, bytes, languages, manifests, ci, infrastructure, licences, cut }: Inventory): string[] {
  const kinds = new Map<string, number>();
  for (const { kind } of infrastructure) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const named = (list: readonly string[]): string => (list.length === 0 ? 'none' : list.slice(0, 20).join(', '));
  return [
    `${count(files, 'file')}, ${bytes} bytes${cut ? '; there are more' : ''}.`,
    table(
      ['language', 'files', 'lines'],
      languages.slice(0, 20).map(({ language, files: n, lines }) => [language, n, lines]),
    ),
    `Dependencies: ${named(manifests.map(({ file, dependencies }) => `${code(file)} ${dependencies}`))}.`,
    `CI: ${named(ci.map(code))}.`,
    `Infrastructure: ${named([...kinds].map(([kind, n]) => `${kind} ${n}`))}.`,
    `Licences: ${named(licences.map(({ file, licence }) => `${code(file)} ${licence}`))}.`,
  ];
}
