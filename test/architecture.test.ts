/** What holds in every file, and what no type checker or linter of ours says: sizes, clocks, doors, and whose house it is. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesUnder, repository, textOf } from './support/files.ts';

const source = filesUnder('src', '.ts');
const everything = filesUnder(
  '.',
  '.ts',
  '.mjs',
  '.cjs',
  '.json',
  '.yaml',
  '.yml',
  '.md',
  '.cedar',
  '.cedarschema',
  '.go',
);

/** Files among `files` in which `pattern` is found, with the line. */
function found(files: readonly string[], pattern: RegExp): readonly string[] {
  return files.flatMap((file) =>
    textOf(file)
      .split('\n')
      .flatMap((line, i) => (pattern.test(line) ? [`${file}:${i + 1} ${line.trim()}`] : [])),
  );
}

describe('every file of src', () => {
  it('has at most 400 lines', () => {
    expect(source.length).toBeGreaterThan(100);
    expect(source.filter((file) => textOf(file).split('\n').length > 401)).toEqual([]);
  });

  it('takes time and chance from Env', () => {
    const elsewhere = source.filter((file) => file !== 'src/kernel/env.ts');
    expect(found(elsewhere, /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\brandomUUID\b/)).toEqual([]);
    expect(found(['src/kernel/env.ts'], /\bDate\.now\b/)).toHaveLength(1);
  });

  it('names what it exports', () => {
    expect(found(source, /(?:^|;)\s*export \*/)).toEqual([]);
  });
});

describe('every part', () => {
  const parts = ['governance', 'context', 'work', 'runtime', 'review', 'surfaces'].flatMap((band) => {
    const folder = join(repository, 'src', band);
    if (!existsSync(folder)) return [];
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `src/${band}/${entry.name}`);
  });

  it.each(parts)('%s is entered by its index.ts', (part) => {
    expect(existsSync(join(repository, part, 'index.ts'))).toBe(true);
  });
});

describe('the repository', () => {
  it('knows nothing of the machine that it was written on', () => {
    expect(found(everything, /\/work\/(?:main|shared)\b|\/opt\/node\d|\/tmp\/h\//)).toEqual([]);
  });
});

it('has a lock file that npm ci accepts: every optional package is in it', () => {
  const lock: { packages: Record<string, { optionalDependencies?: Record<string, string> }> } = JSON.parse(
    textOf('package-lock.json'),
  );
  const missing = Object.values(lock.packages)
    .flatMap(({ optionalDependencies = {} }) => Object.entries(optionalDependencies))
    .filter(([name, version]) => /^\d/.test(version) && !(`node_modules/${name}` in lock.packages))
    .map(([name]) => name);
  expect(missing, 'run: node .ci/complete-lock.mjs').toEqual([]);
});
