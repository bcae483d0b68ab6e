/** The work that stands in a folder and is not kept yet: each file with its digest, what is small and text with its content. */
import { lstatSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Changed, Checkouts, Compared } from '../../../adapters/checkout/port.ts';
import { sha256Hex } from '../../../kernel/index.ts';
import type { FileInFlight, PartValue } from '../format/parts.ts';
import type { Store } from '../store/store.ts';
import { readInside } from './read.ts';
import type { Cleaner } from './redact.ts';

export interface FilesParts {
  readonly checkouts: Checkouts;
  readonly cleaner: Cleaner;
  /** Where contents are kept; without it they are looked at and not kept. */
  readonly store: Store;
  readonly keep: boolean;
  /** Absolute paths that are nobody's work. */
  readonly closed: readonly string[];
}

export interface FilesLooked {
  readonly part: PartValue<'files'>;
  /** Of each file, in the same order. */
  readonly hunks: readonly string[];
}

const mostFiles = 1000;
const mostFileBytes = 1024 * 1024;
const mostAllBytes = 32 * 1024 * 1024;
const mostDiffBytes = 4 * 1024 * 1024;

export async function lookAtFiles(parts: FilesParts, root: string, changes: readonly Changed[]): Promise<FilesLooked> {
  const { checkouts, cleaner, store, keep } = parts;
  const open = changes.filter(({ path }) => !isClosed(parts.closed, root, path));
  const looked = chosen(root, open);
  const bases = looked.flatMap(({ base }) => base ?? []);
  const before = await checkouts.contents(root, [...new Set(bases)], mostFileBytes);
  const files: FileInFlight[] = [];
  const pairs: Compared[] = [];
  let room = mostAllBytes;
  for (const changed of looked) {
    const old = changed.base === undefined ? undefined : before.get(changed.base);
    const { file, text, size } = fileOf(root, changed, cleaner, room);
    room -= size;
    const content = text && keep ? await store.keep(text) : undefined;
    files.push({ ...file, ...(content === undefined ? {} : { content }) });
    pairs.push(file.without === undefined ? pairOf(cleaner, old, text) : {});
  }
  const hunks = await checkouts.compare(pairs, store.folder);
  const counted = files.map((file, i) => ({ ...file, ...linesOf(hunks[i] ?? '') }));
  const diff = keep ? await keepDiff(store, counted, hunks) : undefined;
  return { part: { files: counted, more: open.length - looked.length, ...(diff ? { diff } : {}) }, hunks };
}

/** The most useful where there are more than can be looked at: what git keeps, then what was touched last; by their paths. */
function chosen(root: string, open: readonly Changed[]): readonly Changed[] {
  if (open.length <= mostFiles) return open;
  const touched = new Map(
    open.map((one) => {
      if (one.change !== 'untracked') return [one, Number.POSITIVE_INFINITY];
      return [one, lstatSync(join(root, one.path), { throwIfNoEntry: false })?.mtimeMs ?? 0];
    }),
  );
  const last = [...open].sort((a, b) => (touched.get(b) ?? 0) - (touched.get(a) ?? 0) || (a.path < b.path ? -1 : 1));
  const kept = new Set(last.slice(0, mostFiles));
  return open.filter((one) => kept.has(one));
}

function isClosed(closed: readonly string[], root: string, path: string): boolean {
  const inside = closed.map((one) => relative(root, one)).filter((one) => one !== '' && !one.startsWith('..'));
  return inside.some((one) => path === one || path.startsWith(`${one}/`));
}

interface Looked {
  readonly file: FileInFlight;
  readonly text?: Buffer;
  readonly size: number;
}

function fileOf(root: string, { path, change, from }: Changed, cleaner: Cleaner, room: number): Looked {
  const about = { path, change, ...(from === undefined ? {} : { from }) };
  if (change === 'deleted') return { file: about, size: 0 };
  // A folder that is a repository of its own ends with a slash.
  const read = path.endsWith('/') ? { kind: 'unreadable' as const } : readInside(root, path, mostFileBytes);
  switch (read.kind) {
    case 'gone':
      return { file: { ...about, change: 'deleted' }, size: 0 };
    case 'unreadable':
      return { file: { ...about, without: 'unreadable' }, size: 0 };
    case 'large': {
      const digest = read.sha256 === undefined ? {} : { sha256: read.sha256 };
      return { file: { ...about, bytes: read.size, ...digest, without: 'large' }, size: 0 };
    }
    case 'link':
    case 'file': {
      const { bytes } = read;
      const told = {
        ...{ ...about, bytes: bytes.length, sha256: sha256Hex(bytes) },
        ...(read.kind === 'link' ? { link: true as const } : { touched: read.touched }),
        ...(read.kind === 'file' && read.executable ? { executable: true as const } : {}),
      };
      if (bytes.includes(0)) return { file: { ...told, without: 'binary' }, size: 0 };
      if (bytes.length > room) return { file: { ...told, without: 'no room' }, size: 0 };
      const { bytes: text, count } = cleaner.bytes(bytes);
      return { file: { ...told, ...(count > 0 ? { redacted: count } : {}) }, text, size: text.length };
    }
  }
}

/** Both sides without their secrets: one that was there before is no change. */
function pairOf(cleaner: Cleaner, before: Buffer | undefined, after: Buffer | undefined): Compared {
  return { ...(before ? { before: cleaner.bytes(before).bytes } : {}), ...(after ? { after } : {}) };
}

function linesOf(hunks: string): { added?: number; removed?: number } {
  if (hunks === '' || hunks.startsWith('Binary')) return {};
  const count = (sign: '+' | '-'): number => hunks.split('\n').filter((line) => line.startsWith(sign)).length;
  return { added: count('+'), removed: count('-') };
}

async function keepDiff(
  store: Store,
  files: readonly FileInFlight[],
  hunks: readonly string[],
): Promise<NonNullable<PartValue<'files'>['diff']> | undefined> {
  const all = files.map((file, i) => headed(file, hunks[i] ?? '')).join('');
  if (all === '') return undefined;
  const bytes = Buffer.from(all);
  const kept = bytes.subarray(0, mostDiffBytes);
  return { sha256: await store.keep(kept), bytes: kept.length, truncated: kept.length < bytes.length };
}

function headed({ path, from = path, change }: FileInFlight, hunks: string): string {
  if (hunks === '') return '';
  const old = change === 'untracked' || change === 'added' ? '/dev/null' : `a/${from}`;
  const made = change === 'deleted' ? '/dev/null' : `b/${path}`;
  return `diff --git a/${from} b/${path}\n--- ${old}\n+++ ${made}\n${hunks.endsWith('\n') ? hunks : `${hunks}\n`}`;
}

/** The hunks of each file of a kept diff, by its path. */
export function hunksIn(diff: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const one of diff.split(/^diff --git /m).slice(1)) {
    const [, old = '', made = ''] = /^--- (.*)\n\+\+\+ (.*)$/m.exec(one) ?? [];
    const path = made === '/dev/null' ? old.slice(2) : made.slice(2);
    const at = one.search(/^@@ /m);
    if (at >= 0) found.set(path, one.slice(at));
  }
  return found;
}
