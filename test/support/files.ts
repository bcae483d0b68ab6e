/** The repository's own files, as text, for tests that read the whole of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

const skipped = new Set(['node_modules', 'dist', 'coverage', '.git', '.agov', '.worktrees', '.terraform']);

/** Paths relative to the repository, sorted, whose name ends in one of `endings`. */
export function filesUnder(folder: string, ...endings: readonly string[]): readonly string[] {
  const walk = (path: string): string[] =>
    readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
      if (skipped.has(entry.name)) return [];
      const child = join(path, entry.name);
      if (entry.isDirectory()) return walk(child);
      return entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)) ? [child] : [];
    });
  return walk(join(repository, folder))
    .map((path) => relative(repository, path))
    .sort();
}

export function textOf(path: string): string {
  return readFileSync(join(repository, path), 'utf8');
}
