/** The layout of a project with the built-in tiers, and a fake Vault in which it stands. */
import type { Layout, LayoutWish } from '../../../src/adapters/authority/port.ts';
import { vaultLayout, vaultNames } from '../../../src/adapters/authority/vault/index.ts';
import { openVault, type Vault } from '../../../src/adapters/vault-client/index.ts';
import { compileVault, leaseMs, loadTiers, type VaultPlace } from '../../../src/governance/tiers/index.ts';
import { type Env, Secret } from '../../../src/kernel/index.ts';
import type { FakeVault } from './fake.ts';

interface Place {
  readonly prefix?: string;
  readonly mount?: string;
  readonly engines?: NonNullable<VaultPlace['engines']>;
  readonly signingKey?: LayoutWish['signingKey'];
}

/** As seen and mended with the token of `vault`. */
export async function builtinLayout(
  vault: Vault,
  env: Env,
  { prefix = 'agov', mount = 'agov', engines = {}, signingKey }: Place = {},
): Promise<Layout> {
  const tiers = await loadTiers();
  const policies = compileVault(tiers, { mount, prefix, engines }).map(({ name, hcl: text }) => ({ name, text }));
  const read = Object.values(engines).map(({ path, parameters }) => [path, Boolean(parameters)] as const);
  const place = { names: vaultNames(prefix), mount, engines: new Map(read) };
  return vaultLayout(
    { vault, env, ...place },
    { policies, signingKey, auditFiles: [], tokenMs: (tier) => leaseMs(tiers, tier) },
  );
}

/** What setup leaves on the server, without the project that it would be recorded in. */
export async function laidOut(server: FakeVault, env: Env, place?: Place): Promise<void> {
  const auth = { method: 'token', token: () => new Secret(server.root) } as const;
  await using vault = openVault({ address: server.address, deadlineMs: 5000, env, auth });
  const layout = await builtinLayout(vault, env, place);
  for (const one of await layout.differences()) await layout.mend(one);
}
