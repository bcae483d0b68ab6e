/** Key files: made whole or not at all, once, by whichever process is first; mode 0600. */
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { AgovError, createOnce, messageOf } from '../../../kernel/index.ts';

/** `mark` is no other process's: it keeps their drafts apart. @throws AgovError KEY_INVALID */
export function writeOnce(path: string, mark: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    createOnce(path, mark, text);
  } catch (error) {
    throw invalidKey(path, `It cannot be written: ${messageOf(error)}.`);
  }
}

/** The text of a file that lets others than its owner do nothing of `others` (mode bits). @throws AgovError KEY_INVALID */
export function readKept(path: string, others: number): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined)
    throw invalidKey(path, 'It does not exist.', 'Put back the key that the ledger was made with.');
  if (!stat.isFile()) throw invalidKey(path, 'It is not a file.');
  if ((stat.mode & others) !== 0) {
    throw invalidKey(path, 'Others than its owner may open it.', `Run \`chmod 600 ${path}\`.`);
  }
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw invalidKey(path, `It cannot be read: ${messageOf(error)}.`);
  }
}

export function invalidKey(path: string, why: string, fix?: string): AgovError {
  return new AgovError('KEY_INVALID', {
    what: `The key file ${path} cannot be used.`,
    why,
    ...(fix === undefined ? {} : { fix }),
  });
}
