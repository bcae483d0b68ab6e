/** Where the ledger's key is: in a file beside the project's other keys, or in Vault with its public part pinned there. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Signer } from '../../adapters/signer/port.ts';
import type { Vault } from '../../adapters/vault-client/index.ts';
import {
  loadKey,
  loadOrCreateKey,
  loadOrPin,
  loadPinned,
  pinAnew,
  publicKeyPem,
  remoteKey,
  type SigningKey,
  type VerifierKey,
  verifierKeyLine,
} from '../../governance/ledger/index.ts';
import { AgovError, parseDuration } from '../../kernel/index.ts';
import type { Frame } from '../frame.ts';
import type { Guards } from '../state/breakers.ts';

export interface PublicKey {
  readonly line: string;
  readonly pem: string;
  /** Where the private key is, for people. */
  readonly place: string;
}

export interface LedgerKeySource {
  /** Behind the guard where Vault signs; asks it for nothing but the first time. @throws KEY_INVALID, and what the Vault client throws */
  signing(guard: Guards['signer']): Promise<SigningKey>;
  /** Asks nobody. @throws KEY_INVALID */
  verifying(): VerifierKey;
  publicKey(): PublicKey;
  /** Pins the key whose pin was lost. @throws CONFLICT over one that is there, and for a line that is not this ledger's */
  pin(line: string, guard: Guards['signer']): Promise<PublicKey>;
}

export interface LedgerFiles {
  readonly path: string;
  readonly witness: string;
}

export function ledgerKeySource(
  { config, project, env }: Frame,
  { path: ledgerPath, witness }: LedgerFiles,
  vault: () => Promise<Vault | undefined>,
): LedgerKeySource {
  const name = `agov.local/${project.instance}`;
  const filePath = join(project.keys, 'ledger.key');
  const pinPath = join(project.keys, 'ledger.pinned.json');
  const { transit } = config.ledger;

  const verifying = (): VerifierKey => {
    if (transit === undefined) {
      refuseOther(filePath, pinPath, 'Its key is in Vault.', 'Set ledger.transit in agov.yaml, as it was.');
      return loadKey(filePath);
    }
    refuseOther(pinPath, filePath, 'Its key is in a file.', 'Take ledger.transit out of agov.yaml.');
    return loadPinned(pinPath).verifier;
  };

  const signerBehind = async (guard: Guards['signer']): Promise<Signer> => {
    const server = await vault();
    // The configuration was refused otherwise.
    if (!server || !config.secrets.vault || !transit) {
      throw new AgovError('INTERNAL', { what: 'ledger.transit has no Vault.' });
    }
    const { vaultSigner } = await import('../../adapters/signer/vault/index.ts');
    const deadlineMs = parseDuration(config.secrets.vault.deadline);
    return guard(() => vaultSigner({ vault: server, ...transit, deadlineMs }));
  };

  const signing: LedgerKeySource['signing'] = async (guard) => {
    // A new key over an old log could not have signed it: only a log that is not there yet gets one.
    const old = existsSync(ledgerPath);
    if (old) verifying();
    if (transit === undefined) return old ? loadKey(filePath) : loadOrCreateKey(filePath, name);
    const signer = await signerBehind(guard);
    const { verifier, version } = old ? loadPinned(pinPath) : await loadOrPin(pinPath, name, signer, env);
    return remoteKey(signer, verifier, version);
  };

  const publicKey = (): PublicKey => {
    const key = verifying();
    const place = transit ? `${transit.mount}/${transit.key} in Vault's transit engine` : filePath;
    return { line: verifierKeyLine(key), pem: publicKeyPem(key), place };
  };

  return {
    ...{ signing, verifying, publicKey },
    async pin(line, guard) {
      if (transit === undefined) throw nothingPinned(filePath);
      refuseOther(pinPath, filePath, 'Its key is in a file.', 'Take ledger.transit out of agov.yaml.');
      await pinAnew(line, { path: ledgerPath, witness, pin: pinPath, env, signer: () => signerBehind(guard) });
      return publicKey();
    },
  };
}

function nothingPinned(filePath: string): AgovError {
  return new AgovError('USAGE', {
    what: 'No key is pinned in this project.',
    why: `The ledger signs with the key in ${filePath}. A key is pinned where ledger.transit in agov.yaml is set.`,
    fix: 'Put that file back from a backup, if it was lost: nothing else can sign this ledger.',
  });
}

/** A ledger goes on with the kind of key that it was made with. */
function refuseOther(path: string, other: string, why: string, fix: string): void {
  if (existsSync(path) || !existsSync(other)) return;
  throw new AgovError('KEY_INVALID', {
    what: 'This ledger was made with another key than agov.yaml names.',
    why,
    fix: `${fix} A ledger with a new key begins when .agov/ is moved away.`,
  });
}
