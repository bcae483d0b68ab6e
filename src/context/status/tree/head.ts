/** The beginning of a status file, from a directory that agents may write: no link is followed, nothing is waited for. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { messageOf, systemCode } from '../../../kernel/index.ts';
import { type Fault, showFault } from '../../../schemas/index.ts';
import { readStatus, type StatusRead, statusFile } from '../format/index.ts';

/** A fault with the line that it is in, as it is shown. */
export interface ShownFault extends Fault {
  readonly shown: string;
}

export type Found = Extract<StatusRead, { ok: true }> | { readonly ok: false; readonly faults: readonly ShownFault[] };

const headBytes = 65_536;
const maxFaults = 5;
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** `directory` is what faults name it by. Undefined where there is no such file. */
export type ReadHead = (path: string, directory: string) => Found | undefined;

/** One buffer for all of a walk: a hundred thousand of them keep the collector busier than the reading. */
export function headReader(): ReadHead {
  const buffer = Buffer.allocUnsafe(headBytes);
  return (path, directory) => readHead(path, directory, buffer);
}

function readHead(path: string, directory: string, buffer: Buffer): Found | undefined {
  const file = directory === '' ? statusFile : `${directory}/${statusFile}`;
  const head = headOf(path, buffer);
  if (head === undefined) return undefined;
  if ('why' in head) return faulty(file, head.why);
  const read = readStatus(head.text, file);
  if (read.ok) return read;
  const cut = head.more && read.faults[0]?.line === 1 ? [{ ...read.faults[0], message: tooFar }] : read.faults;
  return {
    ok: false,
    faults: cut.slice(0, maxFaults).map((fault) => ({ ...fault, shown: showFault(fault, head.text) })),
  };
}

const tooFar = `The front matter must end within the first ${headBytes} bytes.`;

function headOf(path: string, buffer: Buffer): { text: string; more: boolean } | { why: string } | undefined {
  let file: number;
  try {
    file = openSync(path, flags);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'ELOOP')
      return { why: 'It is a link. A status is a file of its own, so that no link leads out of here.' };
    return { why: `It cannot be read: ${messageOf(error)}.` };
  }
  try {
    if (!fstatSync(file).isFile()) return { why: 'It is not a file.' };
    const bytes = buffer.subarray(0, readSync(file, buffer, 0, headBytes, 0));
    if (bytes.includes(0)) return { why: 'It is not text.' };
    return { text: decode(bytes), more: bytes.length === headBytes };
  } catch (error) {
    return { why: error instanceof TypeError ? 'It is not valid UTF-8.' : `It cannot be read: ${messageOf(error)}.` };
  } finally {
    closeSync(file);
  }
}

/** A character that is cut in two at the end is left out. @throws TypeError where it is no UTF-8 */
function decode(bytes: Buffer): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true });
}

function faulty(file: string, message: string): Found {
  const fault: Fault = { file, line: 1, column: 1, path: '', message };
  return { ok: false, faults: [{ ...fault, shown: showFault(fault, '') }] };
}
