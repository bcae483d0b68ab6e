/** C2SP signed-note with Ed25519 keys (signature type 0x01), as Go's golang.org/x/mod/sumdb/note reads and writes it. */
import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import { decodeBase64, type Parsed, parsed, refused } from './parsed.ts';

const ed25519Type = 0x01;
/** RFC 8410: what precedes the 32 raw bytes in an Ed25519 SubjectPublicKeyInfo. */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');
/** The specification asks for at least 16. */
const maxSignatures = 100;
const maxNoteLength = 1_000_000;

export interface VerifierKey {
  readonly name: string;
  /** Eight hex digits; with the name it says which key signed. */
  readonly id: string;
  /** The 32 raw bytes. */
  readonly publicKey: Uint8Array;
  readonly keyObject: KeyObject;
}

export function verifierKey(name: string, publicKey: Uint8Array): VerifierKey {
  const input = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ed25519Type), publicKey]);
  return {
    name,
    id: hash('sha256', input, 'buffer').toString('hex', 0, 4),
    publicKey,
    keyObject: createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: 'der', type: 'spki' }),
  };
}

/** Key names may hold neither white space nor `+`, and no control character, since the note's lines would break. */
export function isKeyName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  return name.length > 0 && name.isWellFormed() && !/[\s+\u0000-\u001f\u0085]/u.test(name);
}

/** Reads `name+hexid+base64(0x01 || public key)`. */
export function parseVerifierKey(line: string): Parsed<VerifierKey> {
  const [name = '', id = '', ...encoded] = line.split('+');
  // A plus sign is also a base64 character.
  const bytes = decodeBase64(encoded.join('+'));
  if (!isKeyName(name) || !/^[0-9a-f]{8}$/.test(id) || bytes === undefined) {
    return refused('A verifier key reads name+hexid+base64.');
  }
  if (bytes[0] !== ed25519Type || bytes.length !== 33) return refused('The verifier key is not an Ed25519 key.');
  const key = verifierKey(name, bytes.subarray(1));
  return key.id === id ? parsed(key) : refused('The verifier key does not hash to the id that it carries.');
}

export function formatVerifierKey({ name, id, publicKey }: VerifierKey): string {
  return `${name}+${id}+${Buffer.concat([Buffer.of(ed25519Type), publicKey]).toString('base64')}`;
}

export interface NoteSignature {
  readonly name: string;
  readonly id: string;
  readonly signature: Uint8Array;
}

export interface Note {
  /** The signed text, with its last newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export function formatSignature({ name, id, signature }: NoteSignature): string {
  return `— ${name} ${Buffer.concat([Buffer.from(id, 'hex'), signature]).toString('base64')}\n`;
}

/** Takes a note apart and verifies nothing: its text is still anybody's. */
export function parseNote(note: string): Parsed<Note> {
  if (note.length > maxNoteLength) return refused('The note is over 1,000,000 characters.');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the specification forbids them
  if (!note.isWellFormed() || /[\u0000-\u0009\u000b-\u001f\ufffd]/.test(note)) {
    return refused('The note holds control characters or is not UTF-8.');
  }
  const split = note.lastIndexOf('\n\n');
  if (split < 0 || !note.endsWith('\n')) return refused('The note has no blank line before its signatures.');
  const lines = note.slice(split + 2, -1).split('\n');
  if (lines.length > maxSignatures) return refused(`The note has over ${maxSignatures} signatures.`);
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const signature = parseSignature(line);
    if (signature === undefined) return refused('A signature line of the note is malformed.');
    signatures.push(signature);
  }
  return parsed({ text: note.slice(0, split + 1), signatures });
}

function parseSignature(line: string): NoteSignature | undefined {
  const [, name, encoded] = /^— (\S+) (\S+)$/u.exec(line) ?? [];
  if (name === undefined || encoded === undefined || !isKeyName(name)) return undefined;
  const bytes = decodeBase64(encoded);
  if (bytes === undefined || bytes.length < 5) return undefined;
  return { name, id: Buffer.from(bytes.subarray(0, 4)).toString('hex'), signature: bytes.subarray(4) };
}

/**
 * The text of a note that at least one of `keys` signed. Signatures of other keys are ignored; a false one under the
 * name and id of a known key refuses the whole note.
 */
export function openNote(note: string, keys: readonly VerifierKey[]): Parsed<{ text: string; key: VerifierKey }> {
  const opened = parseNote(note);
  if (!opened.ok) return opened;
  const { text, signatures } = opened.value;
  let signer: VerifierKey | undefined;
  for (const { name, id, signature } of signatures) {
    const key = keys.find((candidate) => candidate.name === name && candidate.id === id);
    if (key === undefined) continue;
    if (!verify(null, Buffer.from(text), key.keyObject, signature)) {
      return refused(`The signature of ${name} (${id}) is false.`);
    }
    signer ??= key;
  }
  if (signer === undefined) return refused('None of the known keys has signed the note.');
  return parsed({ text, key: signer });
}
