/**
 * A live Vault held to a contract: `npm run test:vault`, with VAULT_ADDR and VAULT_TOKEN of somebody who may set a Vault
 * up. Never by VAULT_ADDR alone, which may well name a server that matters. A suite works under names of its own and takes
 * them away; its end compares what is there with what was there before, so that no two may run at once.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { VaultNames } from '../../../src/adapters/authority/vault/names.ts';
import { keysAnswer, openVault, type Vault, type VaultOptions } from '../../../src/adapters/vault-client/index.ts';
import { Secret, systemEnv } from '../../../src/kernel/index.ts';
import { tiers } from '../../../src/schemas/index.ts';

export interface LiveVault {
  /** By VAULT_TOKEN. */
  readonly vault: Vault;
  readonly connection: Omit<VaultOptions, 'env'>;
  /** Of this run alone, for names: letters and digits. */
  readonly mark: string;
  client(token: string): Vault;
  /** One request of its operator; what is not there is no fault. */
  send(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<void>;
  keys(path: string): Promise<readonly string[]>;
}

/** `body` runs once, as that of `describe`; its `afterAll` takes away what it made. */
export function describeLive(name: string, body: (live: LiveVault) => void): void {
  const title = `${name} on a live Vault`;
  if (process.env['AGOV_TEST_VAULT'] !== 'live') {
    it.skip(`${title} (skipped: npm run test:vault asks for it)`, () => undefined);
    return;
  }
  describe(title, () => {
    const live = connected();
    let before: unknown;
    beforeAll(async () => {
      before = await found(live);
    });
    // Hooks of an end run in reverse: the suite's own, which was given later, has cleaned up by now.
    afterAll(async () => {
      const after = await found(live);
      await live.vault[Symbol.asyncDispose]();
      expect(after).toEqual(before);
    });
    body(live);
  });
}

/** All that setup and enrolling make under a prefix. Entities first: what is in no group leads nowhere. */
export async function takenAway({ send, keys }: LiveVault, { prefix, ofTier }: VaultNames, ...mounts: string[]) {
  const named = async (path: string) => (await keys(path)).filter((name) => name.startsWith(`${prefix}-`));
  for (const name of await named('identity/entity/name')) await send('DELETE', `identity/entity/name/${name}`);
  for (const name of await named('identity/group/name')) await send('DELETE', `identity/group/name/${name}`);
  for (const tier of tiers) await send('DELETE', `sys/auth/${ofTier(tier)}`);
  for (const name of await named('sys/policies/acl')) await send('DELETE', `sys/policies/acl/${name}`);
  for (const mount of mounts) await send('DELETE', `sys/mounts/${mount}`);
}

function connected(): LiveVault {
  const caFile = process.env['VAULT_CACERT'];
  const auth = (token: string) => ({ method: 'token', token: () => new Secret(token) }) as const;
  const connection = {
    ...{ address: new URL(needed('VAULT_ADDR')), namespace: process.env['VAULT_NAMESPACE'], deadlineMs: 15_000 },
    ca: caFile === undefined ? undefined : readFileSync(caFile, 'utf8'),
    auth: auth(needed('VAULT_TOKEN')),
  };
  const env = systemEnv();
  const vault = openVault({ ...connection, env });
  return {
    ...{ vault, connection },
    mark: Buffer.from(env.random(6)).toString('hex'),
    client: (token) => openVault({ ...connection, auth: auth(token), env }),
    async send(method, path, of) {
      const request = { method, path, ...(of ? { body: { ...of } } : {}) };
      await vault.within((call) => vault.send(call, request, 404));
    },
    keys: (path) =>
      vault.within(async (call) => {
        const answer = await vault.send(call, { method: 'LIST', path }, 404);
        return answer.status === 404 ? [] : [...keysAnswer.parse(answer.json).data.keys].sort();
      }),
  };
}

function needed(variable: string): string {
  const value = process.env[variable];
  if (value) return value;
  throw new Error(`npm run test:vault needs ${variable}.`);
}

const listed = z.object({ data: z.record(z.string(), z.unknown()) });

async function found({ vault, keys }: LiveVault) {
  const get = (path: string) => vault.within((call) => vault.ask(call, { method: 'GET', path }, listed));
  return {
    mounts: (await get('sys/mounts')).data,
    logins: (await get('sys/auth')).data,
    policies: await keys('sys/policies/acl'),
    groups: await keys('identity/group/name'),
    entities: await keys('identity/entity/name'),
    aliases: await keys('identity/entity-alias/id'),
    tokens: await keys('auth/token/accessors/'),
  };
}
