/** What SQLite or the file system says about the memory file, in codes of ours. Whatever is unclear is damage. */
import { AgovError, messageOf, systemCode } from '../../../kernel/index.ts';

export function memoryCorrupt(path: string, why: string, cause?: unknown): AgovError {
  return new AgovError('MEMORY_CORRUPT', {
    what: `The memory file ${path} is damaged.`,
    why,
    fix: 'Take it from a backup, or move it away: memory then begins anew, and nothing else depends on it.',
    cause,
  });
}

export function memoryUnavailable(path: string, what: string, fix: string, cause?: unknown): AgovError {
  return new AgovError('MEMORY_UNAVAILABLE', { what: `The memory file ${path} ${what}`, fix, cause });
}

/** `error` as an AgovError; one that is an AgovError already stays as it is. */
export function memoryFault(path: string, error: unknown): unknown {
  if (error instanceof AgovError) return error;
  const code = systemCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(path, error);
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') {
    return new AgovError('NOT_WRITABLE', { what: `${path} cannot be written.`, why: messageOf(error), cause: error });
  }
  if (code !== 'ERR_SQLITE_ERROR') return error;
  // Primary result codes of https://sqlite.org/rescode.html.
  switch (sqliteCode(error) & 0xff) {
    case 5:
      return memoryUnavailable(path, 'stayed locked by another process.', 'Try again.', error);
    case 8:
      return new AgovError('NOT_WRITABLE', { what: `${path} cannot be written.`, why: messageOf(error), cause: error });
    case 10:
      return memoryUnavailable(path, 'cannot be read or written.', 'Check the disk that holds it.', error);
    case 13:
      return diskFull(path, error);
    case 14:
      return memoryUnavailable(path, 'cannot be opened.', 'Give this user read and write access to it.', error);
    case 11:
    case 26:
      return memoryCorrupt(path, `SQLite says: ${messageOf(error)}.`, error);
    default:
      return error;
  }
}

/** True when somebody else holds a lock, so that waiting may help. */
export function isBusy(error: unknown): boolean {
  return systemCode(error) === 'ERR_SQLITE_ERROR' && (sqliteCode(error) & 0xff) === 5;
}

function diskFull(path: string, cause: unknown): AgovError {
  return new AgovError('DISK_FULL', {
    what: `No space is left for ${path}.`,
    why: 'What was logged before is whole; this entry is not there.',
    fix: 'Free some space, then log it again. "agov memory gc" gives back what is no longer needed.',
    cause,
  });
}

/** The extended result code, 0 where there is none. */
function sqliteCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : 0;
}
