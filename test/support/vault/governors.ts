/** Governors of one Vault in which a project is laid out, as the identities contract wants them. */
import type { IdentitiesFixture } from '../../../src/adapters/authority/contract.ts';
import type { Identities } from '../../../src/adapters/authority/port.ts';
import { openVaultIdentities, type vaultNames } from '../../../src/adapters/authority/vault/index.ts';
import type { Vault } from '../../../src/adapters/vault-client/index.ts';
import { type Env, idSource } from '../../../src/kernel/index.ts';

export interface GovernedPlace {
  readonly names: ReturnType<typeof vaultNames>;
  readonly mount: string;
  readonly env: Env;
}

/** `operator` puts the secrets there, looks, and steals. It closes nothing of what it was given. */
export async function governors(operator: Vault, { names, mount, env }: GovernedPlace): Promise<IdentitiesFixture> {
  const open = (project: string): Identities =>
    openVaultIdentities({
      ...{ vault: operator, names, mount, project, env, ids: idSource(env) },
      tokenMs: () => 600_000,
    });
  for (const path of ['dev/db', 'staging/db']) {
    const request = { method: 'POST', path: `${mount}/data/${path}` } as const;
    await operator.within((call) =>
      operator.send(call, { ...request, body: { options: { cas: 0 }, data: { v: 'x' } } }),
    );
  }
  return {
    ...{ first: open('project-1'), second: open('project-1'), stranger: open('project-2') },
    async reads(token, path) {
      const request = { method: 'GET', path: `${mount}/data/${path}`, token } as const;
      return (await operator.within((call) => operator.send(call, request, 403))).status === 200;
    },
    async steal({ token }) {
      await operator.within((call) => operator.send(call, { method: 'POST', path: 'sys/wrapping/unwrap', token }));
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
