/** What SQLite or the file system says about the state file, in the port's two codes. Whatever is unclear is damage. */
import { AgovError, messageOf, systemCode } from '../../../../kernel/index.ts';

const rebuildFix = 'Run "agov state rebuild": it sets the damaged file aside and rebuilds state from the ledger.';

/** Primary result codes of https://sqlite.org/rescode.html that say nothing about the file's content. */
const outside: Readonly<Record<number, { readonly what: string; readonly fix: string }>> = {
  5: {
    what: 'stayed locked by another process for longer than agov waits.',
    fix: 'Try again; if it lasts, look for a stopped process that holds the file open.',
  },
  8: { what: 'cannot be written.', fix: 'Give this user write access to the file and its folder.' },
  10: { what: 'cannot be read or written.', fix: 'Check the disk that holds it.' },
  13: { what: 'cannot grow: the disk is full.', fix: 'Free some space and try again.' },
  14: { what: 'cannot be opened.', fix: 'Give this user read and write access to the file and its folder.' },
  15: { what: 'is contended by too many processes.', fix: 'Try again.' },
};

export function stateCorrupt(path: string, why: string, cause?: unknown): AgovError {
  return new AgovError('STATE_CORRUPT', { what: `The state file ${path} is damaged.`, why, fix: rebuildFix, cause });
}

export function stateUnavailable(path: string, what: string, fix: string, cause?: unknown): AgovError {
  return new AgovError('STATE_UNAVAILABLE', { what: `The state file ${path} ${what}`, fix, cause });
}

/** `error` as an AgovError; one that is an AgovError already stays as it is. */
export function stateFault(path: string, error: unknown): AgovError {
  if (error instanceof AgovError) return error;
  // An integer that no number of ours can hold was not written by us.
  if (systemCode(error) === 'ERR_OUT_OF_RANGE') return stateCorrupt(path, `${messageOf(error)}.`, error);
  if (systemCode(error) !== 'ERR_SQLITE_ERROR') {
    return stateUnavailable(
      path,
      `cannot be reached: ${messageOf(error)}.`,
      'Check the path and its access rights.',
      error,
    );
  }
  const known = outside[sqliteCode(error) & 0xff];
  return known
    ? stateUnavailable(path, known.what, known.fix, error)
    : stateCorrupt(path, `SQLite says: ${messageOf(error)}.`, error);
}

/** True when somebody else holds a lock, so that waiting may help. */
export function isBusy(error: unknown): boolean {
  return systemCode(error) === 'ERR_SQLITE_ERROR' && (sqliteCode(error) & 0xff) === 5;
}

/** The extended result code, 0 where there is none. */
function sqliteCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : 0;
}
