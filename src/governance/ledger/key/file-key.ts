/**
 * The ledger's Ed25519 key: one line in a file of mode 0600 outside the project, in the form of Go's sumdb/note
 * (`PRIVATE+KEY+name+id+base64(0x01 || seed)`), so that other tools for signed notes can use it.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { statSync } from 'node:fs';
import { AgovError } from '../../../kernel/index.ts';
import { formatSignature, formatVerifierKey, isKeyName, type VerifierKey, verifierKey } from '../verifier/index.ts';
import { invalidKey, readKept, writeOnce } from './write-once.ts';

export interface LedgerKey extends VerifierKey {
  /** The signed note of `text`, which ends in a newline. */
  sign(text: string): string;
}

const prefix = 'PRIVATE+KEY+';
const ed25519Type = 0x01;
/** RFC 8410: what precedes the 32 bytes of the seed in a PKCS #8 Ed25519 key. */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The line that verifiers need: `name+id+base64`. Public. */
export function verifierKeyLine(key: VerifierKey): string {
  return formatVerifierKey(key);
}

/** The public key as PEM, for openssl. */
export function publicKeyPem(key: VerifierKey): string {
  return key.keyObject.export({ format: 'pem', type: 'spki' }).toString();
}

/**
 * The key in the file, or a new one under `name`, which becomes the ledger's origin; an existing key keeps its own.
 * @throws AgovError KEY_INVALID, INPUT_INVALID
 */
export function loadOrCreateKey(path: string, name: string): LedgerKey {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) createKeyFile(path, name);
  return loadKey(path);
}

/** @throws AgovError KEY_INVALID */
export function loadKey(path: string): LedgerKey {
  const key = parseKey(readKept(path, 0o077));
  if (key === undefined) throw invalidKey(path, 'Its content is not an Ed25519 signing key.');
  return key;
}

/** The key of `PRIVATE+KEY+…`, or undefined. */
export function parseKey(line: string): LedgerKey | undefined {
  const [name = '', id = '', ...encoded] = line.trim().slice(prefix.length).split('+');
  const bytes = Buffer.from(encoded.join('+'), 'base64');
  if (!line.startsWith(prefix) || !isKeyName(name) || bytes.length !== 33 || bytes[0] !== ed25519Type) return undefined;
  const key = ledgerKey(name, bytes.subarray(1));
  return key.id === id ? key : undefined;
}

function ledgerKey(name: string, seed: Uint8Array): LedgerKey {
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const verifier = verifierKey(name, spki.subarray(-32));
  return {
    ...verifier,
    sign: (text) => {
      const signature = sign(null, Buffer.from(text), privateKey);
      return `${text}\n${formatSignature({ name, id: verifier.id, signature })}`;
    },
  };
}

function createKeyFile(path: string, name: string): void {
  if (!isKeyName(name)) {
    throw new AgovError('INPUT_INVALID', {
      what: `"${name}" cannot name a ledger.`,
      why: 'The name stands in every signed head, where neither spaces nor plus signs may be.',
      fix: 'Use a name such as example.com/project.',
    });
  }
  const seed = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  const { id } = ledgerKey(name, seed);
  const secret = Buffer.concat([Buffer.of(ed25519Type), seed]).toString('base64');
  writeOnce(path, id, `${prefix}${name}+${id}+${secret}\n`);
}
