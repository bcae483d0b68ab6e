/**
 * The public part of a key that signs elsewhere, as it was when the ledger began: kept outside the project, so that
 * neither whoever holds the signing service nor whoever writes in the project puts another key in its place unseen. With
 * it the record is read and verified without asking anybody.
 */
import { statSync } from 'node:fs';
import { z } from 'zod';
import type { Signer } from '../../../adapters/signer/port.ts';
import type { AgovError, Env } from '../../../kernel/index.ts';
import {
  emptyRoot,
  formatCheckpoint,
  formatVerifierKey,
  parseVerifierKey,
  type VerifierKey,
  verifierKey,
} from '../verifier/index.ts';
import { remoteKey } from './remote.ts';
import { invalidKey, readKept, writeOnce } from './write-once.ts';

export interface PinnedKey {
  readonly verifier: VerifierKey;
  /** That of the signing service. */
  readonly version: number;
}

const pinnedSchema = z.strictObject({ verifierKey: z.string(), version: z.int().min(1) });

/** @throws AgovError KEY_INVALID */
export function loadPinned(path: string): PinnedKey {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) throw lost(path);
  // Anybody may read it; who may write it says which key is believed.
  const found = pinnedSchema.safeParse(asJson(readKept(path, 0o022)));
  const verifier = found.success ? parseVerifierKey(found.data.verifierKey) : undefined;
  if (!found.success || !verifier?.ok) throw invalidKey(path, 'It does not hold a public key and its version.');
  return { verifier: verifier.value, version: found.data.version };
}

/**
 * The pinned key, or the signer's newest, pinned now under `name`, once it has signed the head of the empty log.
 * @throws AgovError KEY_INVALID, and what the signer throws
 */
export async function loadOrPin(path: string, name: string, signer: Signer, env: Env): Promise<PinnedKey> {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    const { version, publicKey } = await signer.newest();
    const verifier = verifierKey(name, publicKey);
    const empty = formatCheckpoint({ origin: name, size: 0, root: emptyRoot() });
    await remoteKey(signer, verifier, version).signElsewhere(empty);
    pinKey(path, { verifier, version }, env);
  }
  return loadPinned(path);
}

/** False where another is pinned there. */
export function pinKey(path: string, { verifier, version }: PinnedKey, env: Env): boolean {
  const text = `${JSON.stringify({ verifierKey: formatVerifierKey(verifier), version }, null, 2)}\n`;
  writeOnce(path, Buffer.from(env.random(6)).toString('hex'), text);
  const pinned = loadPinned(path);
  return formatVerifierKey(pinned.verifier) === formatVerifierKey(verifier) && pinned.version === version;
}

function lost(path: string): AgovError {
  return invalidKey(
    path,
    'It does not exist.',
    'Restore it from a backup, or pin the key anew from its public line: agov ledger key --pin "LINE".',
  );
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON holds no key, which is all that is told of it.
    return undefined;
  }
}
