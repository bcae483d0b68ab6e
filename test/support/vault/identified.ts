/** A fake Vault with the layout of a project, and agents' identities in it as one governor or several have them. */
import type { Identities } from '../../../src/adapters/authority/port.ts';
import { openVaultIdentities } from '../../../src/adapters/authority/vault/identities/index.ts';
import { vaultNames } from '../../../src/adapters/authority/vault/names.ts';
import { openVault, type Vault } from '../../../src/adapters/vault-client/index.ts';
import { type Env, idSource, Secret } from '../../../src/kernel/index.ts';
import type { FakeVault } from './fake.ts';
import { laidOut } from './laid-out.ts';
import { fakeVault } from './server.ts';

export interface Identified extends AsyncDisposable {
  readonly vault: FakeVault;
  readonly client: Vault;
  readonly identities: Identities;
  /** Another governor, of this project unless it is said. */
  other(project?: string): Identities;
  /** What `token` is answered at `path`, as a status. */
  asks(token: Secret, path: string): Promise<number>;
}

export const names = vaultNames('agov');

export async function identified(env: Env): Promise<Identified> {
  const vault = await fakeVault({ env });
  await laidOut(vault, env);
  const clients: Vault[] = [];
  const client = (): Vault => {
    const auth = { method: 'token', token: () => new Secret(vault.root) } as const;
    const made = openVault({ address: vault.address, deadlineMs: 5000, env, auth });
    clients.push(made);
    return made;
  };
  const open = (project = 'project-1'): Identities =>
    openVaultIdentities({
      ...{ vault: client(), names, mount: 'agov', project, env, ids: idSource(env) },
      tokenMs: () => 600_000,
    });
  return {
    ...{ vault, client: client(), identities: open(), other: open },
    async asks(token, path) {
      const headers = { 'X-Vault-Token': token.reveal() };
      return (await fetch(new URL(`/v1/${path}`, vault.address), { headers })).status;
    },
    async [Symbol.asyncDispose]() {
      for (const one of clients) await one[Symbol.asyncDispose]();
      await vault[Symbol.asyncDispose]();
    },
  };
}
