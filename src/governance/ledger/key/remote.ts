/** A key that signs elsewhere, held to the public key that was pinned: what that key does not verify is no signature. */
import { verify } from 'node:crypto';
import type { Signer } from '../../../adapters/signer/port.ts';
import { AgovError } from '../../../kernel/index.ts';
import { formatSignature, type VerifierKey } from '../verifier/index.ts';
import type { LedgerKey } from './file-key.ts';

/** What a ledger may be signed with. */
export type SigningKey = LedgerKey | RemoteKey;

export interface RemoteKey extends VerifierKey {
  /** Within how many milliseconds a signature comes or is refused. */
  readonly deadlineMs: number;
  /** The signed note of `text`, which ends in a newline. @throws AgovError LEDGER_UNAVAILABLE, KEY_INVALID */
  signElsewhere(text: string, signal?: AbortSignal): Promise<string>;
}

export function remoteKey(signer: Signer, verifier: VerifierKey, version: number): RemoteKey {
  const { name, id, keyObject } = verifier;
  return {
    ...verifier,
    deadlineMs: signer.deadlineMs,
    async signElsewhere(text, signal) {
      const signature = await signer.sign(text, version, signal);
      if (!verify(null, Buffer.from(text), keyObject, signature)) throw foreignSignature(signer.place, verifier);
      return `${text}\n${formatSignature({ name, id, signature })}`;
    },
  };
}

function foreignSignature(place: string, { name, id }: VerifierKey): AgovError {
  return new AgovError('KEY_INVALID', {
    what: `What ${place} signed does not hold under the key ${name}+${id}, which this ledger was made with.`,
    why: 'Another key is in its place, or something else was signed than what was asked for.',
    fix: 'Find out who changed the key (Vault’s audit log says), and restore it: a ledger is not continued with another key.',
  });
}
