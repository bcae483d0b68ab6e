/** A fake Vault with an Ed25519 key in its transit engine, and a signer by a client of its own. */
import type { Signer } from '../../../src/adapters/signer/port.ts';
import { vaultSigner } from '../../../src/adapters/signer/vault/index.ts';
import { openVault, type Vault } from '../../../src/adapters/vault-client/index.ts';
import { Secret, systemEnv } from '../../../src/kernel/index.ts';
import type { FakeVault } from './fake.ts';
import { fakeVault } from './server.ts';

export interface OpenedTransit extends AsyncDisposable {
  readonly vault: FakeVault;
  readonly signer: Signer;
  readonly client: Vault;
}

export async function openedTransit({ deadlineMs = 2000, type = 'ed25519' } = {}): Promise<OpenedTransit> {
  const vault = await fakeVaultWithTransit(type);
  const { client, signer } = signerOn(vault.address, vault.root, deadlineMs);
  return {
    ...{ vault, signer, client },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await vault[Symbol.asyncDispose]();
    },
  };
}

/** `transit` is mounted and has the key `ledger`. */
export async function fakeVaultWithTransit(type = 'ed25519'): Promise<FakeVault> {
  const vault = await fakeVault({ env: systemEnv() });
  vault.mounts.set('transit', { type: 'transit', options: null });
  await operate(vault, 'POST', 'transit/keys/ledger', { type });
  return vault;
}

export function signerOn(address: URL, token: string, deadlineMs: number): { client: Vault; signer: Signer } {
  const auth = { method: 'token', token: () => new Secret(token) } as const;
  const client = openVault({ address, auth, deadlineMs, env: systemEnv() });
  return { client, signer: vaultSigner({ vault: client, mount: 'transit', key: 'ledger', deadlineMs }) };
}

/** One request as Vault's operator makes it. */
export async function operate(vault: FakeVault, method: string, path: string, body: object = {}): Promise<void> {
  const url = new URL(`/v1/${path}`, vault.address);
  const headers = { 'x-vault-token': vault.root, 'content-type': 'application/json' };
  const answer = await fetch(url, { method, headers, ...(method === 'GET' ? {} : { body: JSON.stringify(body) }) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

/** Another key under the same name: an operator's mistake, or an attack. */
export async function swapKey(vault: FakeVault): Promise<void> {
  await operate(vault, 'DELETE', 'transit/keys/ledger');
  await operate(vault, 'POST', 'transit/keys/ledger', { type: 'ed25519' });
}
