/** Turns what SQLite and the file system throw into errors that say what to do. */
import { AgovError, isAgovError, messageOf, systemCode } from '../../../kernel/index.ts';

/** Primary result codes of sqlite.org/rescode.html that get their own answer. */
const primary = { perm: 3, busy: 5, locked: 6, readonly: 8, corrupt: 11, full: 13, cantOpen: 14, auth: 23, notADb: 26 };
/** Extended codes: a write or the growth of the shared memory file failed, as it does when space or a limit is spent. */
const outOfSpace = [778, 4874];

const fullCodes = ['ENOSPC', 'EDQUOT', 'EFBIG'];
const readOnlyCodes = ['EACCES', 'EPERM', 'EROFS'];

/** SQLite's extended result code of an error from node:sqlite. */
export function sqliteCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined;
}

export function isBusy(error: unknown): boolean {
  const code = (sqliteCode(error) ?? 0) & 0xff;
  return code === primary.busy || code === primary.locked;
}

export function ledgerFault(error: unknown, path: string): AgovError {
  if (isAgovError(error)) return error;
  const code = sqliteCode(error);
  const system = systemCode(error) ?? '';
  const kind = (code ?? 0) & 0xff;
  const cause = { why: `${messageOf(error)}.`, cause: error };
  if (kind === primary.full || outOfSpace.includes(code ?? 0) || fullCodes.includes(system)) {
    return new AgovError('DISK_FULL', {
      ...cause,
      what: `The ledger ${path} cannot grow.`,
      fix: 'Free space there; nothing of the failed append was kept, and appends work again then.',
    });
  }
  if (kind === primary.readonly || kind === primary.perm || kind === primary.auth || readOnlyCodes.includes(system)) {
    return new AgovError('NOT_WRITABLE', {
      ...cause,
      what: `The ledger ${path} cannot be written.`,
      fix: 'Make the file and its folder writable for this user.',
    });
  }
  if (kind === primary.corrupt || kind === primary.notADb) {
    return brokenLedger(path, cause.why, error);
  }
  if (isBusy(error)) {
    return new AgovError('LEDGER_UNAVAILABLE', {
      ...cause,
      what: `The ledger ${path} stayed locked.`,
      fix: 'Find the process that holds it and try again.',
    });
  }
  return new AgovError('LEDGER_UNAVAILABLE', { ...cause, what: `The ledger ${path} cannot be used.` });
}

export function brokenLedger(path: string, why: string, cause?: unknown): AgovError {
  return new AgovError('LEDGER_BROKEN', {
    what: `The ledger ${path} is damaged or was tampered with.`,
    why,
    fix: 'Run `agov ledger verify` to see where; keep the file as it is and go on from a copy that verifies.',
    cause,
  });
}
