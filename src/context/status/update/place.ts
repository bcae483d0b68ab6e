/**
 * A directory held open, so that what is done in it is done there: an agent that swaps a folder on the way for a link,
 * between the look and the act, changes nothing but the way.
 */
import { closeSync, constants, existsSync, openSync, readlinkSync, realpathSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { AgovError, messageOf, systemCode } from '../../../kernel/index.ts';

export interface Place extends Disposable {
  /** From the root; empty for the root itself. */
  readonly path: string;
  /** Of a file in it; stays right wherever the directory is moved to. */
  at(name: string): string;
}

const closed = new Set(['.git', '.agov', '.worktrees']);
const descriptors = '/proc/self/fd';

/** `directory` is absolute and must lie below `root`, a real path, without links. @throws NOT_FOUND, WORKSPACE_INVALID */
export function openPlace(root: string, directory: string): Place {
  let file: number;
  try {
    file = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    const code = systemCode(error);
    const what = `${directory} is no directory that can be opened.`;
    const fix = 'Name a directory of the project.';
    throw new AgovError(code === 'ENOENT' ? 'NOT_FOUND' : 'WORKSPACE_INVALID', { what, why: messageOf(error), fix });
  }
  try {
    const inFolder = existsSync(descriptors) ? `${descriptors}/${file}` : directory;
    // Where it is for certain, after all links.
    const real = inFolder === directory ? realpathSync(directory) : readlinkSync(inFolder);
    const path = relative(root, real);
    if (path === '..' || path.startsWith('../') || isAbsolute(path)) {
      throw new AgovError('WORKSPACE_INVALID', {
        what: `${directory} is outside of the project.`,
        why: `It leads to ${real}, and the project is ${root}.`,
      });
    }
    if (path.split('/').some((part) => closed.has(part))) {
      throw new AgovError('WORKSPACE_INVALID', {
        what: `${path} is no place for a status.`,
        fix: 'Name a directory of the work.',
      });
    }
    return { path, at: (name) => join(inFolder, name), [Symbol.dispose]: () => closeSync(file) };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}
