import { isAgovError } from '../../../../kernel/index.ts';

/** What cannot be recorded is not done, and nothing that a model could say changes that. */
export function stopsTheRecord(error: unknown): boolean {
  return (
    !isAgovError(error) ||
    isAgovError(error, 'LEDGER_UNAVAILABLE', 'DISK_FULL', 'NOT_WRITABLE', 'STATE_UNAVAILABLE', 'INTERNAL')
  );
}

/** An error as a sentence or two. */
export function sentencesOf(error: unknown): string {
  if (!isAgovError(error)) return String(error);
  return [error.what, error.why, error.fix].filter(Boolean).join(' ');
}
