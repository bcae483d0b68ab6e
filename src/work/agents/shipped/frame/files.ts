/** The files of a repository, and their bytes: regular ones alone, since a link or a pipe leads elsewhere. */
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { look } from './git.ts';

export interface Listing {
  /** Relative to the workspace, sorted. */
  readonly files: readonly string[];
  /** More than `mostFiles` are there. */
  readonly cut: boolean;
  /** Whether git told them: then what it ignores is not among them. */
  readonly git: boolean;
}

const mostFiles = 50_000;
const notOurs = /^(?:\.agov|\.worktrees|\.git)(?:\/|$)/;

export async function listFiles(): Promise<Listing> {
  const { code, stdout } = await look(['ls-files', '-z', '--cached', '--others', '--exclude-standard']);
  const git = code === 0;
  const found = git ? stdout.split('\0') : [...walk('.')];
  const files = [...new Set(found)].filter((file) => file !== '' && !notOurs.test(file)).sort();
  return { files: files.slice(0, mostFiles), cut: files.length > mostFiles, git };
}

function* walk(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = folder === '.' ? entry.name : join(folder, entry.name);
    if (entry.name === 'node_modules' || notOurs.test(path)) continue;
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.isFile()) yield path;
  }
}

export type Content = { readonly bytes: Buffer } | { readonly size: number } | undefined;

/** The bytes; the size alone where there are more than `most`; undefined for what is no regular file. */
export function readFile(path: string, most: number): Content {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined; // a link, or gone since it was listed
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return undefined;
    return stat.size > most ? { size: stat.size } : { bytes: readFileSync(file) };
  } finally {
    closeSync(file);
  }
}

/** As text; undefined where it is none, or too long. */
export function readText(path: string, most = 1_048_576): string | undefined {
  const content = readFile(path, most);
  if (!content || !('bytes' in content) || content.bytes.includes(0)) return undefined;
  return content.bytes.toString('utf8');
}

/** Whether `path` is one of these files, or lies in one of these folders. */
export function isUnder(path: string, places: readonly string[]): boolean {
  return places.some((place) => {
    const folder = place.replace(/^\.\//, '').replace(/\/+$/, '');
    return folder === '.' || folder === '' || path === folder || path.startsWith(`${folder}/`);
  });
}
