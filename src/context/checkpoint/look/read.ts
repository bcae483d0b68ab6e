/**
 * A file of a folder that agents write while it is read. The folder that it lies in is held open and its real place is
 * looked at, so that no link on the way, put there in between, leads out of here.
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';

export type Content =
  | {
      readonly kind: 'file';
      readonly bytes: Buffer;
      readonly executable: boolean;
      /** Milliseconds since the epoch. */
      readonly touched: number;
    }
  | { readonly kind: 'link'; readonly bytes: Buffer }
  | { readonly kind: 'large'; readonly size: number; readonly sha256: string | undefined }
  | { readonly kind: 'gone' | 'unreadable' };

/** Beyond that no digest is made. */
const mostHashed = 64 * 1024 * 1024;

/** `root` is a real path, `path` lies below it. */
export function readInside(root: string, path: string, most: number): Content {
  const wanted = join(root, path);
  if (normalize(wanted) !== wanted || !wanted.startsWith(`${root}/`)) return { kind: 'unreadable' };
  let folder: number | undefined;
  try {
    folder = openSync(dirname(wanted), constants.O_RDONLY | constants.O_DIRECTORY);
    const place = `/proc/self/fd/${folder}`;
    if (readlinkSync(place) !== dirname(wanted)) return { kind: 'unreadable' };
    const name = join(place, basename(wanted));
    if (lstatSync(name).isSymbolicLink()) return { kind: 'link', bytes: Buffer.from(readlinkSync(name)) };
    return readOpen(name, most);
  } catch (error) {
    const gone = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
    return { kind: gone ? 'gone' : 'unreadable' };
  } finally {
    if (folder !== undefined) closeSync(folder);
  }
}

function readOpen(name: string, most: number): Content {
  // Nothing is waited for: a pipe that somebody put there would hold us for ever.
  const file = openSync(name, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return { kind: 'unreadable' };
    if (stat.size > most) return { kind: 'large', size: stat.size, sha256: digestOf(file, stat.size) };
    const buffer = Buffer.alloc(stat.size);
    let size = 0;
    for (let read = -1; size < buffer.length && read !== 0; size += read) {
      read = readSync(file, buffer, size, buffer.length - size, size);
    }
    return {
      kind: 'file',
      bytes: buffer.subarray(0, size),
      executable: (stat.mode & 0o111) !== 0,
      touched: Math.floor(stat.mtimeMs),
    };
  } finally {
    closeSync(file);
  }
}

function digestOf(file: number, size: number): string | undefined {
  if (size > mostHashed) return undefined;
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(1024 * 1024);
  for (let at = 0; at < size; ) {
    const read = readSync(file, buffer, 0, buffer.length, at);
    if (read === 0) break;
    hash.update(buffer.subarray(0, read));
    at += read;
  }
  return hash.digest('hex');
}
