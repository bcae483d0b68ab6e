/** Secrets on a fake Vault with the system's clock, and errors that are searched for secrets before they are handed on. */
import { inspect } from 'node:util';
import type { Secrets } from '../../../src/adapters/secrets/port.ts';
import { openVaultSecrets, type VaultSecretsOptions } from '../../../src/adapters/secrets/vault/index.ts';
import { openVault, type VaultOptions } from '../../../src/adapters/vault-client/index.ts';
import { AgovError, idSource, Secret, systemEnv } from '../../../src/kernel/index.ts';
import type { FakeVault, FakeVaultOptions } from './fake.ts';
import { fakeVault } from './server.ts';

export const secretText = 'correct-horse-battery-staple';

export interface Opened extends AsyncDisposable {
  readonly vault: FakeVault;
  readonly secrets: Secrets;
}

export type OwnVaultSecretsOptions = VaultOptions & Omit<VaultSecretsOptions, 'vault'>;

/** Secrets in Vault by a client of their own, which closes with them. */
export function openOwnVaultSecrets(options: OwnVaultSecretsOptions): Secrets {
  const vault = openVault(options);
  const secrets = openVaultSecrets({ ...options, vault });
  return {
    ...secrets,
    async [Symbol.asyncDispose]() {
      await secrets[Symbol.asyncDispose]();
      await vault[Symbol.asyncDispose]();
    },
  };
}

/** `dev/db` holds `secretText`. */
export async function opened(
  options: Partial<OwnVaultSecretsOptions> = {},
  server: Partial<FakeVaultOptions> = {},
): Promise<Opened> {
  const env = options.env ?? systemEnv();
  const vault = await fakeVault({ env, ...server });
  vault.kv.answer('POST', 'data/dev/db', false, { data: { value: secretText } });
  const secrets = openOwnVaultSecrets({
    ...{ address: vault.address, mount: 'agov', deadlineMs: 2000, env, ids: idSource(env) },
    auth: { method: 'token', token: () => new Secret(vault.root) },
    ...options,
  });
  return {
    ...{ vault, secrets },
    async [Symbol.asyncDispose]() {
      await secrets[Symbol.asyncDispose]();
      await vault[Symbol.asyncDispose]();
    },
  };
}

/** The error that `promise` ends in. It is no error worth having when a secret is in it. */
export async function refusal(promise: Promise<unknown>): Promise<AgovError> {
  const error = await promise.then(
    () => new Error('It did not fail.'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AgovError)) throw error;
  const shown = `${inspect(error, { depth: 12, showHidden: true })} ${error.stack} ${JSON.stringify(error)}`;
  if (/fake-token|fake-secret-id|correct-horse|1b2d9e24-a77c/.test(shown)) throw new Error(`A secret is in: ${shown}`);
  if (!error.what || !error.fix) throw new Error(`No remedy in: ${shown}`);
  return error;
}
