/** The signed heads that a log must answer to, by size: its own, and those that somebody saved elsewhere. */
import { openCheckpoint } from './checkpoint.ts';
import type { VerifierKey } from './note.ts';
import type { Problem } from './report.ts';

export interface ExpectedHead {
  readonly size: number;
  readonly root: Uint8Array;
  readonly origin: string;
  readonly saved: boolean;
}

export interface ExpectedHeads {
  /** Smallest first. */
  readonly heads: readonly ExpectedHead[];
  readonly problems: readonly Problem[];
}

export function readHeads(
  own: Iterable<string>,
  saved: readonly string[],
  keys: readonly VerifierKey[],
): ExpectedHeads {
  const heads: ExpectedHead[] = [];
  const problems: Problem[] = [];
  const read = (note: string, isSaved: boolean): void => {
    const opened = openCheckpoint(note, keys);
    if (opened.ok) heads.push({ ...opened.value, saved: isSaved });
    else problems.push(invalidHead(note, isSaved, opened.why));
  };
  for (const note of own) read(note, false);
  for (const note of saved) read(note, true);
  if (!heads.some((head) => !head.saved) && problems.length === 0) {
    problems.push({ kind: 'head-invalid', seq: 0, what: 'The log has no signed head.' });
  }
  heads.sort((a, b) => a.size - b.size);
  return { heads, problems };
}

function invalidHead(note: string, saved: boolean, why: string): Problem {
  const claimedSize = /^[^\n]*\n([0-9]{1,15})\n/.exec(note)?.[1];
  const which = claimedSize === undefined ? 'A head' : `The head of size ${claimedSize}`;
  return {
    kind: 'head-invalid',
    seq: Number(claimedSize ?? 0),
    what: `${which}${saved ? ', saved outside the log,' : ''} does not hold: ${why}`,
  };
}
