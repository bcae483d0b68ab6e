/** Which entries are meant, as conditions of SQL over `e` (entries) and `c` (contents). */
import { type Database, type SQLInputValue, spaceIds } from '../store/index.ts';

export interface EntryFilter {
  /** All of them. */
  readonly tags?: readonly string[];
  readonly kind?: string;
  readonly agent?: string;
}

export function filterSql(
  db: Database,
  spaces: readonly string[],
  { tags = [], kind, agent }: EntryFilter,
): { readonly sql: string; readonly values: readonly SQLInputValue[] } {
  const here = spaceIds(db, spaces);
  const [only] = here;
  const conditions: string[] = [];
  const values: SQLInputValue[] = [];
  if (here.length === 1 && only !== undefined) {
    conditions.push('e.space = ?');
    values.push(only);
  } else {
    // The plus keeps the index of spaces out of it, which would give one space after another and not by time.
    conditions.push('+e.space IN (SELECT value FROM json_each(?))');
    values.push(JSON.stringify(here));
  }
  for (const tag of tags) {
    conditions.push('EXISTS (SELECT 1 FROM tags t WHERE t.tag = ? AND t.entry = e.seq)');
    values.push(tag);
  }
  if (kind !== undefined) {
    conditions.push('c.kind = ?');
    values.push(kind);
  }
  if (agent !== undefined) {
    conditions.push('e.by_agent = ?');
    values.push(agent);
  }
  return { sql: conditions.join(' AND '), values };
}
