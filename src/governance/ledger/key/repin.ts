/**
 * The public part of a key that signs elsewhere, pinned anew where its file was lost, from the line that somebody kept.
 * Nobody's word is taken for it: the newest head must hold under that line, the log must go on from the head that was last
 * seen, and what signs must have that very key. A pin that is there is never replaced, whatever it says.
 */
import { existsSync } from 'node:fs';
import type { Signer } from '../../../adapters/signer/port.ts';
import { AgovError, type Env } from '../../../kernel/index.ts';
import { openLedger } from '../ledger.ts';
import { readWitness } from '../publish/index.ts';
import { parseVerifierKey, type VerifierKey } from '../verifier/index.ts';
import { type PinnedKey, pinKey } from './index.ts';

export interface RepinOptions {
  /** Of the ledger. */
  readonly path: string;
  readonly witness: string;
  readonly pin: string;
  readonly env: Env;
  /** Asked when all else holds. */
  readonly signer: () => Promise<Signer>;
}

/** @throws AgovError CONFLICT, INPUT_INVALID, NOT_FOUND, KEY_INVALID, LEDGER_BROKEN, and what the signer throws */
export async function pinAnew(line: string, options: RepinOptions): Promise<PinnedKey> {
  const { path, witness, pin, env } = options;
  if (existsSync(pin)) throw pinnedAlready(pin);
  const parsed = parseVerifierKey(line.trim());
  if (!parsed.ok) {
    throw new AgovError('INPUT_INVALID', {
      what: 'This is not the line of a public key.',
      why: parsed.why,
      fix: 'Give the line that "agov ledger key" has printed, in quotes: "name+hexid+base64".',
    });
  }
  const verifier = parsed.value;
  await checkHeads(path, witness, verifier, env);
  const signer = await options.signer();
  const version = await signer.versionOf(verifier.publicKey);
  if (version === undefined) {
    throw new AgovError('KEY_INVALID', {
      what: `No version of ${signer.place} has this public key.`,
      why: 'The key was deleted or replaced, or ledger.transit names another one.',
      fix: 'Correct ledger.transit in agov.yaml, or restore the key from Vault’s backup. Reading and verifying need no Vault: agov ledger export, and any verifier of C2SP logs.',
    });
  }
  if (!pinKey(pin, { verifier, version }, env)) throw pinnedAlready(pin);
  return { verifier, version };
}

async function checkHeads(path: string, witness: string, key: VerifierKey, env: Env): Promise<void> {
  await using ledger = await openLedger({ path, key, env, readOnly: true });
  ledger.head();
  const saved = readWitness(witness);
  if (saved !== undefined) ledger.checkHead(saved);
}

function pinnedAlready(pin: string): AgovError {
  return new AgovError('CONFLICT', {
    what: `A key is pinned already in ${pin}.`,
    why: 'A pin that could be replaced would protect from nobody.',
    fix: 'See it: agov ledger key. Where the file is damaged, restore it from a backup, or move it away first.',
  });
}
