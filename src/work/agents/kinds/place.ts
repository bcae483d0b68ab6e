/**
 * The folder of the definitions, `agents/` of the project. No agent may write it: whoever could change a definition could
 * give itself other instructions, tools or secrets.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isInside } from '../../../governance/governor/index.ts';
import { AgovError, messageOf, systemCode } from '../../../kernel/index.ts';

export const definitionFolder = 'agents';
const maxBytes = 1_048_576;

export function definitionFile(root: string, name: string): string {
  return join(root, definitionFolder, `${name}.yaml`);
}

/**
 * The text of a file of that folder, or of another like it. @throws NOT_FOUND, INPUT_INVALID for what is no text, too long, or lies elsewhere by
 * a symlink, where an agent may write
 */
export function readBeside(root: string, path: string, folder = definitionFolder): string {
  // A pipe in its place would make an ordinary open wait for ever.
  const file = opened(path);
  try {
    const at = readlinkSync(`/proc/self/fd/${file}`);
    if (!isInside(at, join(root, folder))) {
      throw invalid(folder, `${path} lies outside ${folder}/.`, `It is ${at}.`);
    }
    const stat = fstatSync(file);
    if (!stat.isFile()) throw invalid(folder, `${path} is not a regular file.`);
    if (stat.size > maxBytes) throw invalid(folder, `${path} is over ${maxBytes} bytes.`);
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    if (error instanceof TypeError) throw invalid(folder, `${path} is not UTF-8 text.`);
    throw error;
  } finally {
    closeSync(file);
  }
}

function opened(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const gone = systemCode(error) === 'ENOENT';
    throw new AgovError(gone ? 'NOT_FOUND' : 'INPUT_INVALID', {
      what: gone ? `There is no ${path}.` : `${path} cannot be read.`,
      ...(gone ? {} : { why: messageOf(error) }),
      cause: error,
    });
  }
}

function invalid(folder: string, what: string, why?: string): AgovError {
  return new AgovError('INPUT_INVALID', {
    what,
    ...(why === undefined ? {} : { why }),
    fix: `Put a text file into ${folder}/.`,
  });
}
