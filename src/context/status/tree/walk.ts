/**
 * Every directory of a project that is not passed over, with its status where it has one, in order of their paths. Links
 * are not followed. Calls are synchronous, which is several times as fast here, with a pause every so often in which
 * signals are heard.
 */
import { lstatSync, readdirSync, readFileSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { type Env, messageOf, systemCode } from '../../../kernel/index.ts';
import { type StatusValue, statusFile } from '../format/index.ts';
import type { Seen, SeenByPath } from './cache.ts';
import { headReader, type ReadHead, type ShownFault } from './head.ts';
import type { Rules } from './rules.ts';

export interface Directory {
  /** From the project's root; empty for the root itself. */
  readonly path: string;
  readonly parent: Directory | undefined;
  readonly status?: StatusValue;
  /** Of a status that cannot be used. */
  readonly faults?: readonly ShownFault[];
  /** Why what is in it is not known. */
  readonly unreadable?: string;
}

export interface Walked {
  readonly directories: readonly Directory[];
  readonly seen: SeenByPath;
  /** Whether anything was not as it was seen before. */
  readonly changed: boolean;
}

export interface WalkOptions {
  readonly root: string;
  readonly rules: Rules;
  readonly before: SeenByPath;
  readonly env: Env;
  readonly signal?: AbortSignal;
  onProgress?(directories: number): void;
}

const pauseEvery = 1000;
/** What changed so shortly ago may change again without its time showing it. */
const settledMs = 2000;
const maxIgnoreBytes = 262_144;

export async function walk({ root, rules, before, env, signal, onProgress }: WalkOptions): Promise<Walked> {
  const directories: Directory[] = [];
  const seen = new Map<string, Seen>();
  const settled = env.now() - settledMs;
  const readHead = headReader();
  let changed = false;
  const left: { path: string; parent: Directory | undefined; rules: Rules }[] = [
    { path: '', parent: undefined, rules },
  ];
  for (let next = left.pop(); next; next = left.pop()) {
    if (directories.length % pauseEvery === pauseEvery - 1) {
      signal?.throwIfAborted();
      onProgress?.(directories.length);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { path, parent } = next;
    const at = path === '' ? root : `${root}/${path}`;
    const old = before.get(path);
    const looked = look(at, path, old, readHead);
    if (looked === undefined) continue;
    if ('unreadable' in looked) {
      directories.push({ path, parent, unreadable: looked.unreadable });
      continue;
    }
    const { now, faults } = looked;
    changed ||= looked.changed;
    if (now.c < settled) {
      // A file that is not settled is read again; that it is there is known.
      const { s, ...rest } = now;
      seen.set(path, s === undefined || s.c < settled ? now : { ...rest, s: { ...s, c: 0 } });
    }
    const directory: Directory = {
      ...{ path, parent },
      ...(now.s?.v === undefined ? {} : { status: now.s.v }),
      ...(faults === undefined ? {} : { faults }),
    };
    directories.push(directory);
    const inside = now.g === undefined ? next.rules : next.rules.with(path, ignoreText(join(at, '.gitignore')));
    for (let i = now.d.length - 1; i >= 0; i--) {
      const child = path === '' ? `${now.d[i]}` : `${path}/${now.d[i]}`;
      if (!inside.ignores(child)) left.push({ path: child, parent: directory, rules: inside });
    }
  }
  return { directories, seen, changed: changed || seen.size !== before.size };
}

type Looked = { now: Seen; faults: readonly ShownFault[] | undefined; changed: boolean } | { unreadable: string };

/** Undefined for what has gone meanwhile, or is no directory any more. */
function look(at: string, path: string, old: Seen | undefined, readHead: ReadHead): Looked | undefined {
  try {
    const stat = lstatSync(at, { throwIfNoEntry: false });
    if (!stat?.isDirectory()) return undefined;
    const same = old !== undefined && old.i === stat.ino && old.c === stat.ctimeMs;
    const names = same ? { d: old.d, g: old.g, s: old.s !== undefined } : namesIn(at);
    const file = names.s ? statusIn(at, path, same ? old.s : undefined, readHead) : undefined;
    const now: Seen = {
      ...{ i: stat.ino, c: stat.ctimeMs, d: names.d },
      ...(names.g ? { g: 1 } : {}),
      ...(file ? { s: file.s } : {}),
    };
    return { now, faults: file?.faults, changed: !same || file?.changed === true };
  } catch (error) {
    const code = systemCode(error);
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : { unreadable: messageOf(error) };
  }
}

function namesIn(at: string): { d: string[]; g: boolean; s: boolean } {
  const names = { d: [] as string[], g: false, s: false };
  for (const entry of readdirSync(at, { withFileTypes: true })) {
    if (entry.isDirectory()) names.d.push(entry.name);
    else if (entry.name === '.gitignore') names.g = true;
    if (entry.name === statusFile) names.s = true;
  }
  names.d.sort();
  return names;
}

interface StatusSeen {
  readonly s: NonNullable<Seen['s']>;
  readonly faults: readonly ShownFault[] | undefined;
  readonly changed: boolean;
}

function statusIn(at: string, path: string, old: Seen['s'], readHead: ReadHead): StatusSeen | undefined {
  const file = `${at}/${statusFile}`;
  const stat: Stats | undefined = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  const { ino: i, ctimeMs: c, size: n } = stat;
  if (old?.v !== undefined && old.i === i && old.c === c && old.n === n)
    return { s: old, faults: undefined, changed: false };
  const found = readHead(file, path);
  if (found === undefined) return undefined;
  if (!found.ok) return { s: { i, c, n }, faults: found.faults, changed: old === undefined || old.v !== undefined };
  return { s: { i, c, n, v: found.value }, faults: undefined, changed: true };
}

function ignoreText(path: string): string {
  try {
    const stat = lstatSync(path);
    return stat.isFile() && stat.size <= maxIgnoreBytes ? readFileSync(path, 'utf8') : '';
  } catch {
    // Gone meanwhile, or closed to us: it ignores nothing.
    return '';
  }
}
