/** What `git status --porcelain=v2 -z --branch` prints. */
import type { Changed } from './port.ts';

export interface ParsedStatus {
  readonly commit: string | undefined;
  readonly branch: string | undefined;
  readonly changes: readonly Changed[];
}

/** `prefix` is where the folder lies in the repository; paths come from the repository's root. */
export function parseStatus(text: string, prefix: string): ParsedStatus {
  let commit: string | undefined;
  let branch: string | undefined;
  const changes: Changed[] = [];
  const inside = (path: string): string => (path.startsWith(prefix) ? path.slice(prefix.length) : path);
  const records = text.split('\0');
  for (let i = 0; i < records.length; i++) {
    const record = records[i] ?? '';
    const [kind = '', ...fields] = record.split(' ');
    if (record.startsWith('# branch.oid ')) commit = /^[0-9a-f]{40,64}$/.exec(fields[1] ?? '')?.[0];
    else if (record.startsWith('# branch.head ')) branch = fields[1] === '(detached)' ? undefined : fields[1];
    else if (kind === '?') changes.push({ path: inside(record.slice(2)), change: 'untracked' });
    else if (kind === '1') changes.push(ordinary(fields, inside(fields.slice(7).join(' '))));
    else if (kind === 'u') changes.push({ path: inside(fields.slice(9).join(' ')), change: 'conflicted' });
    else if (kind === '2') {
      const from = inside(records[++i] ?? '');
      const base = based(fields[5]);
      changes.push({ path: inside(fields.slice(8).join(' ')), change: 'renamed', from, ...base });
    }
  }
  return { commit, branch, changes: changes.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

/** XY sub mH mI mW hH hI path */
function ordinary(fields: readonly string[], path: string): Changed {
  const [xy = '', , , , mW] = fields;
  const base = based(fields[5]);
  const change = mW === '000000' ? 'deleted' : xy.startsWith('A') ? 'added' : 'modified';
  return { path, change, ...base };
}

function based(object: string | undefined): { readonly base?: string } {
  return object === undefined || /^0+$/.test(object) ? {} : { base: object };
}
