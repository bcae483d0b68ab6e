/**
 * What the last walk saw, by what the system says has not changed since: inode, change time, size. It saves reading, and
 * nothing else: without it, or where it is damaged, everything is read again. It holds names as they lie on the disk;
 * what is passed over is decided anew each time.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { sha256Hex } from '../../../kernel/index.ts';
import type { StatusValue } from '../format/index.ts';

/** Of one directory. Kept short: there may be a hundred thousand. */
export interface Seen {
  /** Inode and change time of the directory. */
  readonly i: number;
  readonly c: number;
  /** Its subdirectories, sorted. */
  readonly d: readonly string[];
  /** It has a `.gitignore`. */
  readonly g?: 1;
  /** It has a `STATUS.md`: inode, change time, size, and its value where it has no fault. */
  readonly s?: { readonly i: number; readonly c: number; readonly n: number; readonly v?: StatusValue };
}

export type SeenByPath = ReadonlyMap<string, Seen>;

const format = 'agov-status-cache 1';

export function readCache(path: string): SeenByPath {
  try {
    const text = readFileSync(path, 'utf8');
    const border = text.indexOf('\n');
    const payload = text.slice(border + 1);
    if (text.slice(0, border) !== `${format} ${sha256Hex(payload)}`) return new Map();
    return new Map(JSON.parse(payload));
  } catch {
    // It is only an aid.
    return new Map();
  }
}

/** `mark` is no other process's. */
export function writeCache(path: string, seen: SeenByPath, mark: string): void {
  const draft = `${path}.${mark}`;
  try {
    const payload = JSON.stringify([...seen]);
    writeFileSync(draft, `${format} ${sha256Hex(payload)}\n${payload}`, { mode: 0o600, flag: 'wx' });
    renameSync(draft, path);
  } catch {
    // A full disk or a read-only one makes the next walk slower, and no more.
    rmSync(draft, { force: true });
  }
}
