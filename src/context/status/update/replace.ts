/**
 * The file in a directory put in place whole, unless it is not what it was: killed anywhere, the old file or the new one is
 * there. Somebody who saves in between is noticed, whether their editor puts a new file in place or writes into the old.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { AgovError, messageOf, systemCode } from '../../../kernel/index.ts';
import { statusFile } from '../format/index.ts';
import type { Place } from './place.ts';

/** A file as it was read, still open. */
export interface Held extends Disposable {
  /** Undefined where there is no file. */
  readonly bytes: Buffer | undefined;
  /** What it holds now, though its name may have gone to another file. */
  again(): Buffer | undefined;
}

const maxBytes = 16_777_216;
const draftName = /^\.STATUS\.md\.[0-9a-f-]{36}$/;

/** @throws STATUS_INVALID for a link, and for what is no file or too large */
export function hold(place: Place): Held {
  const name = place.path === '' ? statusFile : `${place.path}/${statusFile}`;
  const refuse = (why: string): AgovError => new AgovError('STATUS_INVALID', { what: `${name} cannot be used.`, why });
  let file: number;
  try {
    file = openSync(place.at(statusFile), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return { bytes: undefined, again: () => undefined, [Symbol.dispose]: () => undefined };
    throw refuse(code === 'ELOOP' ? 'It is a link; a status is a file of its own.' : messageOf(error));
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw refuse('It is not a file.');
    if (stat.size > maxBytes) throw refuse(`It is over ${maxBytes} bytes.`);
    const read = (): Buffer => contentOf(file);
    return { bytes: read(), again: read, [Symbol.dispose]: () => closeSync(file) };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/**
 * `expected` is what was read. Nothing is done where something else is there by now. `mark` is no other's.
 * @throws NOT_WRITABLE, DISK_FULL
 */
export function replace(place: Place, expected: Buffer | undefined, content: Buffer, mark: string): 'done' | 'changed' {
  const draft = place.at(`.${statusFile}.${mark}`);
  const target = place.at(statusFile);
  try {
    write(draft, content, modeOf(target));
    if (expected === undefined) {
      // A link fails where a name is taken already; a rename would put itself over it.
      linkSync(draft, target);
    } else {
      using now = hold(place);
      if (now.bytes === undefined || !now.bytes.equals(expected)) return 'changed';
      renameSync(draft, target);
    }
    sync(place.at('.'));
    return 'done';
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST' && expected === undefined) return 'changed';
    if (error instanceof AgovError) throw error;
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    throw new AgovError(full ? 'DISK_FULL' : 'NOT_WRITABLE', {
      what: `The status of ${place.path || '.'} cannot be written.`,
      why: messageOf(error).replace(/\/proc\/self\/fd\/\d+\//g, ''),
      fix: full ? 'Free some space.' : 'Make the directory writable for this user.',
    });
  } finally {
    rmSync(draft, { force: true });
  }
}

/** From its beginning, however often it is asked. */
function contentOf(file: number): Buffer {
  const bytes = Buffer.alloc(Math.min(fstatSync(file).size, maxBytes) + 1);
  let length = 0;
  for (let got = -1; got !== 0 && length < bytes.length; length += got) {
    got = readSync(file, bytes, length, bytes.length - length, length);
  }
  return bytes.subarray(0, length);
}

/** What processes left that were killed. Only who has the turn may ask for it. */
export function removeDrafts(place: Place): void {
  for (const name of readdirSync(place.at('.'))) if (draftName.test(name)) rmSync(place.at(name), { force: true });
}

function write(path: string, content: Buffer, mode: number | undefined): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o666);
  try {
    if (mode !== undefined) fchmodSync(file, mode);
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function modeOf(path: string): number | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    // There is none yet, or it is told when it is held.
    return undefined;
  }
  try {
    return fstatSync(file).mode & 0o777;
  } finally {
    closeSync(file);
  }
}

/** A name lasts once its folder is synced. */
function sync(folder: string): void {
  const file = openSync(folder, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
