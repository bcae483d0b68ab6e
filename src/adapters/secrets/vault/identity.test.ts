/** Leases below an agent's own token: what the policy of its tier does not give, no governor can have for it. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fakeEnv } from '../../../../test/support/fake-env.ts';
import { type Identified, identified, secretText } from '../../../../test/support/vault/index.ts';
import { idSource } from '../../../kernel/index.ts';
import type { Credential } from '../../authority/port.ts';
import type { Secrets } from '../port.ts';
import { openVaultSecrets } from './index.ts';

const use = { ttlMs: 300_000, intent: 'intent-1' };
const engines = { 'dev/made': { path: 'database/creds/app' } };
const env = fakeEnv();
let one: Identified;
let secrets: Secrets;
let credential: Credential;
beforeEach(async () => {
  one = await identified(env);
  secrets = openVaultSecrets({ vault: one.client, mount: 'agov', engines, env, ids: idSource(env) });
  for (const path of ['dev/db', 'staging/db']) {
    one.vault.kv.answer('POST', `data/${path}`, false, { data: { value: secretText } });
  }
  await one.identities.enroll('bob', 'T1');
  credential = await one.identities.accept('bob', await one.identities.invite('bob', { ttlMs: 60_000 }));
});
afterEach(async () => {
  await secrets[Symbol.asyncDispose]();
  await one[Symbol.asyncDispose]();
});

const lease = (path: string) => secrets.lease(path, { ...use, identity: credential.token });
const tokens = () => [...one.vault.tokens.live.values()];

it('is read by a token below the agent’s, which ends with the lease', async () => {
  const { id, value } = await lease('dev/db');
  expect(value.reveal()).toBe(secretText);
  expect(tokens().filter(({ parent }) => parent === credential.token.reveal())).toHaveLength(1);
  await secrets.end(id);
  expect(tokens().filter(({ parent }) => parent !== undefined)).toEqual([]);
});

it('is denied beyond the tier, although the governor’s own token may read it', async () => {
  expect((await secrets.lease('staging/db', use)).value.reveal()).toBe(secretText);
  await expect(lease('staging/db')).rejects.toMatchObject({ code: 'DENIED', fix: expect.stringContaining('drift') });
  await expect(lease('dev/made')).rejects.toMatchObject({ code: 'DENIED' });
  expect(tokens().filter(({ parent }) => parent === credential.token.reveal())).toEqual([]);
});

it('follows a promotion and a demotion with the same token', async () => {
  await one.identities.enroll('bob', 'T2');
  await secrets.end((await lease('staging/db')).id);
  await one.identities.enroll('bob', 'T0');
  await expect(lease('dev/db')).rejects.toMatchObject({ code: 'DENIED' });
});

it('is denied to a suspended identity, and what was leased goes with a revoked one', async () => {
  const { id } = await lease('dev/db');
  await one.identities.suspend('bob');
  await expect(lease('dev/db')).rejects.toMatchObject({ code: 'DENIED' });
  await one.identities.revoke('bob');
  await expect(secrets.renew(id, 1000)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(tokens().filter(({ entity }) => entity !== undefined)).toEqual([]);
});
