/** Checks one entry against the place where it is stored, and what the storage says of it against what it says itself. */
import type { Problem } from './report.ts';
import type { StoredEntry } from './source.ts';

export function checkEntry({ seq, bytes, columns = {} }: StoredEntry): Problem[] {
  const members = readMembers(bytes);
  if (members === undefined) {
    return [{ kind: 'entry-unreadable', seq, what: `Entry ${seq} is not a JSON object.` }];
  }
  const claimed = members['seq'];
  if (claimed !== seq) {
    return [
      {
        kind: 'entry-misplaced',
        seq,
        what: `At position ${seq} is an entry that says it is number ${name(claimed)}.`,
        expected: String(seq),
        found: name(claimed),
      },
    ];
  }
  const problems: Problem[] = [];
  for (const [column, found] of Object.entries(columns)) {
    const own = members[column] ?? null;
    if (own === found) continue;
    problems.push({
      kind: 'column-changed',
      seq,
      column,
      what: `Searches find entry ${seq} under another ${column} than its own.`,
      expected: name(own),
      found: name(found),
    });
  }
  return problems;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function readMembers(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    // An object's members are unknown until each is looked at.
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    // Not JSON, which is the answer.
    return undefined;
  }
}

/** What a stranger wrote, cut to a length that a report can bear. */
function name(value: unknown): string {
  return String(value).slice(0, 80);
}
