/** Verifies the ledger's own file: the log in it, and then the tables that searches rely on. */
import type { DatabaseSync } from 'node:sqlite';
import { isAgovError } from '../../../kernel/index.ts';
import { ledgerFault, type Reads, tailStartSql } from '../store/index.ts';
import { type LogSource, type Problem, type VerifierKey, type VerifyReport, verifyLog } from '../verifier/index.ts';

export interface VerifyStoreOptions {
  readonly path: string;
  readonly db: DatabaseSync;
  readonly reads: Reads;
  readonly key: VerifierKey;
  readonly savedHeads: readonly string[];
}

const rowsAtOnce = 512;

export function verifyStore({ path, db, reads, key, savedHeads }: VerifyStoreOptions): VerifyReport {
  let size = 0;
  const source: LogSource = {
    *entries() {
      for (;;) {
        const rows = reads.stored(size, rowsAtOnce);
        for (const row of rows) {
          size = row.seq + 1;
          yield row;
        }
        if (rows.length < rowsAtOnce) return;
      }
    },
    tile: reads.tile,
    heads: reads.heads,
  };
  try {
    const report = verifyLog(source, { keys: [key], savedHeads });
    if (!report.ok) return report;
    const [first, ...rest] = checkSearch(db);
    return first === undefined ? report : { ok: false, size: report.size, problems: [first, ...rest] };
  } catch (error) {
    const fault = ledgerFault(error, path);
    if (!isAgovError(fault, 'LEDGER_BROKEN')) throw fault;
    const why = fault.why ?? 'The file is damaged.';
    return {
      ok: false,
      size,
      problems: [{ kind: 'log-unreadable', seq: size, what: `The file cannot be read from entry ${size} on: ${why}` }],
    };
  }
}

/** Tables that find entries by one column: a row an entry, up to the tail. */
const indexes = [
  { table: 'ids', column: 'id' },
  { table: 'children', column: 'parent' },
] as const;

/** Nothing signs the indexes, but a search that passes over an entry hides it as well as a deletion would. */
function checkSearch(db: DatabaseSync): Problem[] {
  const problems: Problem[] = [];
  for (const [column, letter] of [
    ['kind', 'k'],
    ['run', 'r'],
    ['agent', 'a'],
  ] as const) {
    const row = db
      .prepare(`SELECT seq FROM entries WHERE ${column} IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM facets WHERE facet = '${letter}/' || ${column} AND block = seq / 256) LIMIT 1`)
      .get();
    if (row === undefined) continue;
    const seq = Number(row['seq']);
    problems.push({ kind: 'index-changed', seq, what: `Searches by ${column} do not find entry ${seq}.` });
  }
  for (const { table, column } of indexes) {
    const indexed = `FROM entries WHERE seq < ${tailStartSql} AND ${column} IS NOT NULL`;
    const lost = db
      .prepare(`SELECT seq ${indexed} AND NOT EXISTS (
        SELECT 1 FROM ${table} AS i WHERE i.${column} = entries.${column} AND i.seq = entries.seq) LIMIT 1`)
      .get();
    const seq = Number(lost?.['seq'] ?? 0);
    if (lost) problems.push({ kind: 'index-changed', seq, what: `Searches by ${column} do not find entry ${seq}.` });
    const extra = db.prepare(`SELECT (SELECT count(*) FROM ${table}) > (SELECT count(*) ${indexed}) AS more`).get();
    if (extra?.['more'] === 1) {
      problems.push({ kind: 'index-changed', seq, what: `Searches by ${column} find what is not there.` });
    }
  }
  const uncounted = db
    .prepare(`SELECT kind FROM (SELECT kind, count(*) AS n FROM entries WHERE seq < ${tailStartSql} GROUP BY kind)
      LEFT JOIN counts USING (kind) WHERE n IS NOT counts.entries LIMIT 1`)
    .get();
  if (uncounted) {
    problems.push({ kind: 'index-changed', seq: 0, what: `The count of kind ${String(uncounted['kind'])} is wrong.` });
  }
  const damage = String(Object.values(db.prepare('PRAGMA integrity_check(1)').get() ?? {})[0]);
  if (damage !== 'ok')
    problems.push({ kind: 'index-changed', seq: 0, what: `SQLite finds the file damaged: ${damage}.` });
  return problems;
}
