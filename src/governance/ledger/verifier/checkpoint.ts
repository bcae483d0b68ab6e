/** C2SP tlog-checkpoint: a ledger's head (origin, size, root) as the text of a signed note. */
import { hashLength } from './merkle.ts';
import { openNote, type VerifierKey } from './note.ts';
import { decodeBase64, decodeDecimal, type Parsed, parsed, refused } from './parsed.ts';

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

/** Reads a note's text; extension lines are allowed and ignored, as the specification has it. */
export function parseCheckpoint(text: string): Parsed<Checkpoint> {
  if (!text.endsWith('\n')) return refused('The checkpoint does not end in a newline.');
  const [origin = '', sizeText = '', rootText = '', ...extensions] = text.slice(0, -1).split('\n');
  const size = decodeDecimal(sizeText);
  const root = decodeBase64(rootText);
  if (origin === '' || extensions.includes('')) return refused('The checkpoint has an empty line.');
  if (size === undefined) return refused('The second line of the checkpoint is not a tree size.');
  if (root?.length !== hashLength) return refused('The third line of the checkpoint is not a SHA-256 in base64.');
  return parsed({ origin, size, root });
}

/** The checkpoint of a note signed by one of `keys`. A key signs only for the origin of its own name. */
export function openCheckpoint(note: string, keys: readonly VerifierKey[]): Parsed<Checkpoint> {
  const opened = openNote(note, keys);
  if (!opened.ok) return opened;
  const checkpoint = parseCheckpoint(opened.value.text);
  // Otherwise a key trusted for one log could vouch for another.
  if (checkpoint.ok && checkpoint.value.origin !== opened.value.key.name) {
    return refused(`The checkpoint is of ${checkpoint.value.origin}, but ${opened.value.key.name} signed it.`);
  }
  return checkpoint;
}
