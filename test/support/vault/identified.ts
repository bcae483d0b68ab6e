/** A fake Vault with the layout of a project, and agents' identities in it as one governor or several have them. */
import type { Identities } from '../../../src/adapters/authority/port.ts';
import { openVaultIdentities } from '../../../src/adapters/authority/vault/identities/index.ts';
import { vaultNames } from '../../../src/adapters/authority/vault/names.ts';
import { openVault, type Vault } from '../../../src/adapters/vault-client/index.ts';
import { compileVault, loadTiers, type VaultPlace } from '../../../src/governance/tiers/index.ts';
import { type Env, idSource, Secret } from '../../../src/kernel/index.ts';
import { tiers } from '../../../src/schemas/index.ts';
import type { FakeVault } from './fake.ts';
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

/** The mounts, groups and policies that `agov vault setup` makes. */
export async function layOut(vault: FakeVault, engines: VaultPlace['engines'] = {}): Promise<void> {
  const policies = compileVault(await loadTiers(), { mount: 'agov', prefix: 'agov', engines });
  for (const { name, paths } of policies) vault.tokens.policies.set(name, paths);
  for (const [i, tier] of tiers.entries()) {
    const name = names.ofTier(tier);
    vault.logins.set(name, { type: 'approle', accessor: `auth_approle_fake-${i}`, config: {} });
    const group = { type: 'internal', policies: [name], member_entity_ids: [], member_group_ids: [] };
    vault.groups.set(name, { ...group, name, id: `26ff2646-6903-c509-728d-00000000000${i}` });
  }
}

export async function identified(env: Env): Promise<Identified> {
  const vault = await fakeVault({ env });
  await layOut(vault);
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
