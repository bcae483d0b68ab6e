/**
 * Secrets in files and in what the last commits added. Of a find only its place, its rule and eight digits of its digest
 * are told: enough to tell two finds apart, too little to try a dictionary on.
 */
import { createHash } from 'node:crypto';
import { secretFinder } from '../../../../../governance/redaction/index.ts';
import { isUnder, type Listing, readFile } from '../../frame/files.ts';
import type { Hunk } from '../../frame/hunks.ts';
import { added } from './history.ts';

export interface Find {
  readonly rule: string;
  readonly file: string;
  readonly line: number;
  readonly digest: string;
  /** Of one that the files do not hold any more: the last commit that added it. */
  readonly commit?: string;
}

export interface Secrets {
  readonly finds: readonly Find[];
  /** Of all that were found, with those that are not listed. */
  readonly total: number;
  readonly files: number;
  readonly commits: number;
  /** Files that are too large to look through. */
  readonly skipped: readonly string[];
}

export interface SecretsInput {
  readonly history: number;
  readonly ignore: readonly string[];
  readonly known: readonly string[];
}

const mostBytes = 16 * 1024 * 1024;
const mostFinds = 500;
const mostSkipped = 50;

type Look = (content: Buffer) => readonly Omit<Find, 'file'>[];

export async function findSecretsIn(
  { files, git }: Listing,
  { history, ignore, known }: SecretsInput,
  signal: AbortSignal,
): Promise<Secrets> {
  const look = looking(known);
  const finds: Find[] = [];
  const skipped: string[] = [];
  let looked = 0;
  for (const file of files) {
    signal.throwIfAborted();
    if (isUnder(file, ignore)) continue;
    const content = readFile(file, mostBytes);
    if (!content) continue;
    if ('size' in content) skipped.push(file);
    else finds.push(...look(content.bytes).map((find) => ({ ...find, file })));
    looked += 1;
  }
  const past =
    git && history > 0 ? await findInHistory(look, finds, { history, ignore }, signal) : { commits: 0, finds: [] };
  const all = [...finds, ...past.finds];
  return {
    ...{ finds: all.slice(0, mostFinds), total: all.length, files: looked, commits: past.commits },
    skipped: skipped.slice(0, mostSkipped),
  };
}

/** Each once: what the files still hold has been told. */
async function findInHistory(
  look: Look,
  present: readonly Find[],
  { history, ignore }: Pick<SecretsInput, 'history' | 'ignore'>,
  signal: AbortSignal,
): Promise<{ readonly commits: number; readonly finds: readonly Find[] }> {
  const told = new Set(present.map(({ rule, digest }) => `${rule} ${digest}`));
  const finds: Find[] = [];
  const take = ({ commit, file, line, text }: Hunk): void => {
    if (isUnder(file, ignore)) return;
    for (const find of look(text)) {
      const key = `${find.rule} ${find.digest}`;
      if (told.has(key)) continue;
      told.add(key);
      finds.push({ ...find, file, commit, line: line + find.line - 1 });
    }
  };
  return { commits: await added(history, take, signal), finds };
}

function looking(known: readonly string[]): Look {
  const find = secretFinder();
  return (content) =>
    find(content)
      .map(({ rule, offset, length }) => ({
        rule,
        line: lineAt(content, offset),
        digest: digestOf(content, offset, length),
      }))
      .filter(({ digest }) => !known.includes(digest));
}

function lineAt(content: Buffer, offset: number): number {
  let line = 1;
  for (let at = content.indexOf(10); at !== -1 && at < offset; at = content.indexOf(10, at + 1)) line += 1;
  return line;
}

function digestOf(content: Buffer, offset: number, length: number): string {
  return createHash('sha256')
    .update(content.subarray(offset, offset + length))
    .digest('hex')
    .slice(0, 8);
}
