/** Templates of the project, and those that come with agov. What a path leads to, links and all, lies in the project. */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
} from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { messageOf, packageFile, systemCode } from '../../../../../kernel/index.ts';
import type { Refusal, TemplateFiles } from './library.ts';

const maxBytes = 1_048_576;

export interface ProjectPlaces {
  readonly root: string;
  /** The governor's own folders, of which nothing is read. */
  readonly hidden: readonly string[];
  /** From which paths are told. */
  readonly cwd: string;
}

/** For the pipeline or templates of `file`, relative to `cwd`. */
export function projectTemplates({ root, hidden, cwd }: ProjectPlaces, file: string): TemplateFiles {
  const base = realpathSync(root);
  const path = resolve(cwd, file);
  return {
    from: relative(base, join(realOf(join(path, '..')), relative(join(path, '..'), path))),
    shipped: shippedTemplates,
    read(name) {
      if (name.startsWith('agov:')) return readShipped(name);
      const wanted = join(base, name);
      const text = readInside(wanted, base, hidden);
      return typeof text === 'string' ? { text, file: relative(realOf(cwd), wanted) || name } : text;
    },
  };
}

/** Names, without `agov:`. */
export function shippedTemplates(): readonly string[] {
  const files = readdirSync(packageFile('builtin/templates'));
  return files.flatMap((file) => /^([a-z][a-z0-9-]*)\.yaml$/.exec(file)?.[1] ?? []).sort();
}

export function readShipped(name: string): { readonly text: string; readonly file: string } | Refusal {
  const bare = name.replace(/^agov:/, '');
  if (!shippedTemplates().includes(bare)) return { message: `agov has no template "${bare}".` };
  return { text: readFileSync(packageFile(`builtin/templates/${bare}.yaml`), 'utf8'), file: `agov:${bare}` };
}

function readInside(path: string, root: string, hidden: readonly string[]): string | Refusal {
  const shown = relative(root, path);
  let file: number;
  try {
    // A pipe in its place would make an ordinary open wait for ever.
    file = openSync(realpathSync(path), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { message: `There is no file ${shown} in the project.` };
    return { message: `${shown} cannot be read: ${messageOf(error)}.` };
  }
  try {
    // What counts is the file that was opened, wherever links led meanwhile.
    const opened = readlinkSync(`/proc/self/fd/${file}`);
    if (!isUnder(opened, root)) return { message: `${shown} leads out of the project.` };
    if (hidden.some((folder) => isUnder(opened, folder))) return { message: `${shown} is the governor’s own.` };
    const stat = fstatSync(file);
    if (!stat.isFile()) return { message: `${shown} is not a regular file.` };
    if (stat.size > maxBytes) return { message: `${shown} is over ${maxBytes} bytes.` };
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    return { message: `${shown} cannot be read: ${messageOf(error)}.` };
  } finally {
    closeSync(file);
  }
}

function isUnder(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // a folder that is not there has no other name
  }
}
