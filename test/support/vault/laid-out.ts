/** The layout of a project with the built-in tiers, and a fake Vault in which it stands. */
import type { Layout, LayoutWish } from '../../../src/adapters/authority/port.ts';
import { vaultLayout, vaultNames } from '../../../src/adapters/authority/vault/index.ts';
import { openVault, type Vault } from '../../../src/adapters/vault-client/index.ts';
import { compileVault, leaseMs, loadTiers } from '../../../src/governance/tiers/index.ts';
import { type Env, Secret } from '../../../src/kernel/index.ts';
import type { FakeVault } from './fake.ts';

interface Place {
  readonly prefix?: string;
  readonly mount?: string;
  /** Read without parameters. */
  readonly engines?: readonly string[];
  readonly signingKey?: LayoutWish['signingKey'];
}

/** As seen and mended with the token of `vault`. */
export async function builtinLayout(
  vault: Vault,
  env: Env,
  { prefix = 'agov', mount = 'agov', engines = [], signingKey }: Place = {},
): Promise<Layout> {
  const tiers = await loadTiers();
  const policies = compileVault(tiers, { mount, prefix }).map(({ name, hcl: text }) => ({ name, text }));
  const place = { names: vaultNames(prefix), mount, engines: new Map(engines.map((path) => [path, false])) };
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
