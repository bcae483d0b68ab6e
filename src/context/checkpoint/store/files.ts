/** Files that are whole or absent: written as a draft, synced, renamed, and the folder synced. */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { AgovError, isAgovError, messageOf, systemCode } from '../../../kernel/index.ts';
import { unreadable } from '../format/file.ts';

/** @throws DISK_FULL, NOT_WRITABLE */
export function writeWhole(folder: string, name: string, text: string): void {
  const draft = join(folder, `.draft-${name}`);
  try {
    const file = openSync(draft, 'wx', 0o600);
    try {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, join(folder, name));
    syncFolder(folder);
  } catch (error) {
    rmSync(draft, { force: true });
    throw notKept(folder, error);
  }
}

/** A file and nothing else: no link is followed, and no pipe is waited for. @throws NOT_FOUND, INPUT_INVALID */
export function readPlain(path: string, id: string, most: number): Buffer {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = fstatSync(file);
    if (!stat.isFile()) throw unreadable(id, 'It is no file.');
    if (stat.size > most) throw unreadable(id, `It is over ${most} bytes.`);
    return readFileSync(file);
  } catch (error) {
    if (isAgovError(error)) throw error;
    const code = systemCode(error);
    if (code === 'ENOENT') {
      throw new AgovError('NOT_FOUND', { what: `The checkpoint ${id} has gone.`, fix: 'agov checkpoint timeline' });
    }
    throw unreadable(id, code === 'ELOOP' ? 'It is a link.' : messageOf(error));
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Undefined where there is no file, or no line of at most so many bytes. */
export function firstLine(path: string, most: number): string | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (!fstatSync(file).isFile()) return undefined;
    const bytes = Buffer.alloc(most);
    const read = bytes.subarray(0, readSync(file, bytes, 0, most, 0));
    const end = read.indexOf(10);
    return end < 0 ? undefined : read.toString('utf8', 0, end);
  } catch {
    // It is told of where it is asked for by its id.
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

export function notKept(folder: string, error: unknown): unknown {
  const code = systemCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AgovError('DISK_FULL', {
      ...{ what: `No space is left for a checkpoint in ${folder}.`, why: 'None was taken; those before are whole.' },
      fix: 'Free some space, or: agov checkpoint prune --keep 20',
    });
  }
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') {
    return new AgovError('NOT_WRITABLE', {
      ...{ what: `${folder} cannot be written.`, why: messageOf(error), fix: 'Make it writable for this user.' },
    });
  }
  return error;
}

export function syncFolder(folder: string): void {
  const file = openSync(folder, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

const leftAfterMs = 3_600_000;

/** What processes left that were killed. `now` in milliseconds since the epoch. */
export function removeLeft(folder: string, begins: string, now: number): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(begins)) continue;
    const path = join(folder, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat && now - stat.mtimeMs > leftAfterMs) rmSync(path, { recursive: true, force: true });
  }
}
