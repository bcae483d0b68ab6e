/** Finds a program as execvp(3) would. */
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';

export type Lookup =
  | { readonly kind: 'found'; readonly path: string }
  | { readonly kind: 'not-executable'; readonly path: string }
  | { readonly kind: 'missing' };

export function findProgram(name: string, searchPath: string, cwd: string): Lookup {
  const candidates = name.includes('/')
    ? [resolve(cwd, name)]
    : searchPath.split(':').map((folder) => resolve(cwd, folder, name));
  let refused: string | undefined;
  for (const path of candidates) {
    try {
      if (!statSync(path).isFile()) {
        refused ??= path;
        continue;
      }
    } catch {
      // Not there: the next folder may have it.
      continue;
    }
    try {
      accessSync(path, constants.X_OK);
      return { kind: 'found', path };
    } catch {
      // execvp, too, remembers EACCES and goes on looking.
      refused ??= path;
    }
  }
  return refused === undefined ? { kind: 'missing' } : { kind: 'not-executable', path: refused };
}
