/**
 * A stream as blocks of about 64 KiB, each of whole parts: a block ends where a part does. At most a block and a part are
 * held, whatever the length of the stream or of one of its lines.
 */
import { cut } from './cut.ts';
import { headBytes, isBinary, type Kind, kindOf } from './kind.ts';
import { labeller } from './label.ts';

export interface Part {
  /** Of its first byte in the content. */
  readonly start: number;
  readonly length: number;
  /** Number of its first line, from 0. */
  readonly line: number;
  readonly label: string;
  readonly bytes: Buffer;
  /** Whether it is text, which the index takes. */
  readonly text: boolean;
}

export interface Block {
  readonly kind: Kind;
  readonly start: number;
  readonly bytes: Buffer;
  readonly parts: readonly Part[];
}

const blockBytes = 65_536;

/** `kind`: where it is known; else the beginning tells. */
export async function* blocksOf(
  source: AsyncIterable<Uint8Array>,
  title: string,
  asked: Kind | undefined,
): AsyncGenerator<Block, { readonly kind: Kind; readonly lines: number }> {
  let held: Uint8Array[] = [];
  let size = 0;
  let start = 0;
  let line = 0;
  let kind: Kind | undefined;
  let label: (part: Buffer) => string = () => '';

  const take = (last: boolean): Block | undefined => {
    const bytes = Buffer.concat(held);
    if (kind === undefined) {
      kind = isBinary(bytes.subarray(0, headBytes)) ? 'binary' : (asked ?? kindOf(bytes, title));
      label = labeller(kind);
    }
    const ends = cut(kind, bytes);
    // The last part may go on in what is still to come.
    const whole = last || ends.length === 1 ? ends : ends.slice(0, -1);
    const end = whole.at(-1) ?? 0;
    const parts: Part[] = [];
    let from = 0;
    for (const to of whole) {
      const part = bytes.subarray(from, to);
      const text = kind !== 'binary' && !part.includes(0);
      const { length } = part;
      parts.push({ start: start + from, length, line, label: text ? label(part) : '', bytes: part, text });
      line += newlines(part);
      from = to;
    }
    const block = { kind, start, bytes: bytes.subarray(0, end), parts };
    held = end < bytes.length ? [bytes.subarray(end)] : [];
    size = bytes.length - end;
    start += end;
    return block.bytes.length > 0 ? block : undefined;
  };

  let endsInLine = false;
  for await (const chunk of source) {
    // A chunk may be of any size; a block is not.
    for (let at = 0; at < chunk.length; at += blockBytes) {
      const piece = chunk.subarray(at, at + blockBytes);
      held.push(piece);
      size += piece.length;
      endsInLine = piece.at(-1) !== 10;
      if (size < blockBytes) continue;
      const block = take(false);
      if (block) yield block;
    }
  }
  if (size > 0) {
    const block = take(true);
    if (block) yield block;
  }
  return { kind: kind ?? asked ?? 'text', lines: line + (endsInLine ? 1 : 0) };
}

function newlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) count += 1;
  return count;
}
