/** What goes wrong with the secrets file, in sentences that name the file or the path and never a value. */
import { AgovError, messageOf } from '../../../../kernel/index.ts';

const startOver = 'Restore the file from a backup, or move it away and store the secrets again with "agov secret set".';

export function secretsUnavailable(what: string, fix: string, cause?: unknown): AgovError {
  return new AgovError('SECRETS_UNAVAILABLE', { what, fix, cause });
}

export function fileDamaged(file: string, why: string): AgovError {
  return new AgovError('SECRETS_UNAVAILABLE', { what: `The secrets file ${file} is damaged.`, why, fix: startOver });
}

export function secretDamaged(path: string): AgovError {
  return new AgovError('SECRETS_UNAVAILABLE', {
    what: `The secret "${path}" is damaged.`,
    why: 'What is stored is not what was sealed for this path and version.',
    fix: `Find out who wrote to the file, then store the value again with "agov secret set ${path}".`,
    details: { path },
  });
}

/** `error` as an AgovError; one that is an AgovError already stays as it is. */
export function secretsFault(file: string, error: unknown): AgovError {
  if (error instanceof AgovError) return error;
  const code = primaryCode(error);
  // SQLITE_CORRUPT, SQLITE_NOTADB, and SQLITE_ERROR: our statements are fixed, so a table is missing.
  if (code === 11 || code === 26 || code === 1) return fileDamaged(file, `SQLite says: ${messageOf(error)}.`);
  return secretsUnavailable(
    `The secrets file ${file} cannot be used: ${messageOf(error)}.`,
    'Check its access rights, the disk, and whether another process holds it locked; then try again.',
    error,
  );
}

export function isBusy(error: unknown): boolean {
  return primaryCode(error) === 5;
}

/** SQLite's primary result code, 0 where there is none. */
function primaryCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
}
