/** A fault has a place in a file and a sentence. Readers of files gather all of them, then refuse the file once. */
import { AgovError, type ErrorCode } from '../../kernel/index.ts';

export interface Fault {
  readonly file: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  /** The key that is meant, as in `tiers.T1.alone[0]`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  /** The known name nearest to what was written. */
  readonly suggestion?: string;
}

/** What a file may report at most; after so many the reader has the idea. */
const maxFaults = 100;
const shownInWhy = 3;

/** One error for all `faults`; `details.faults` holds them for machines. */
export function faultsError(code: ErrorCode, subject: string, faults: readonly Fault[], fix?: string): AgovError {
  const count = faults.length;
  const rest = count > shownInWhy ? [`and ${count - shownInWhy} more`] : [];
  return new AgovError(code, {
    what: `${subject} has ${count === 1 ? 'a fault' : `${count} faults`}.`,
    why: [...faults.slice(0, shownInWhy).map(formatFault), ...rest].join('; '),
    fix: fix ?? 'Correct the lines named above.',
    details: { faults: faults.slice(0, maxFaults) },
  });
}

/** `file:line:column message Did you mean "x"?` */
export function formatFault(fault: Fault): string {
  const hint = fault.suggestion === undefined ? '' : ` Did you mean "${fault.suggestion}"?`;
  return `${fault.file}:${fault.line}:${fault.column} ${fault.message}${hint}`;
}

/** `formatFault`, and below it the line of `text` with a caret at the place. */
export function showFault(fault: Fault, text: string): string {
  const line = text.split('\n')[fault.line - 1] ?? '';
  if (line.trim() === '') return formatFault(fault);
  // Of a line that is too long for any terminal the part around the place.
  const from = Math.max(0, fault.column - 60);
  const number = String(fault.line);
  const caret = ' '.repeat(number.length + 3 + (fault.column - 1 - from));
  return `${formatFault(fault)}\n${number} | ${line.slice(from, from + 100).replaceAll('\t', ' ')}\n${caret}^`;
}

/** The candidate with the fewest edits from `word`, if a person could have meant it. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase().slice(0, 64), candidate.toLowerCase().slice(0, 64));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Optimal string alignment: insert, delete, replace, or swap two neighbours. */
function editDistance(a: string, b: string): number {
  let older: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (older[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    older = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
