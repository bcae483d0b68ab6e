/** The governor's own policy: enough for a day's work, and not for more rights than it has. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type FakeEnv, fakeEnv } from '../../../../../test/support/fake-env.ts';
import { builtinLayout, type FakeVault, fakeVault, laidOut } from '../../../../../test/support/vault/index.ts';
import { idSource, Secret } from '../../../../kernel/index.ts';
import { openVaultSecrets } from '../../../secrets/vault/index.ts';
import { openVault, type Vault } from '../../../vault-client/index.ts';
import { openVaultIdentities } from '../identities/index.ts';
import { vaultNames } from '../names.ts';

const names = vaultNames('agov');
const place = { engines: { 'dev/db': { path: 'database/creds/app' } } };
let env: FakeEnv;
let server: FakeVault;
let vault: Vault;

const client = (token: string): Vault =>
  openVault({
    address: server.address,
    deadlineMs: 5000,
    env,
    auth: { method: 'token', token: () => new Secret(token) },
  });

beforeEach(async () => {
  env = fakeEnv();
  server = await fakeVault({ env });
  await laidOut(server, env, place);
  vault = client(server.tokens.make({ policy: 'agov-governor', ttlMs: 3_600_000 }).text);
});
afterEach(async () => {
  await vault[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

it('serves for secrets, leases, engines', async () => {
  const engines = { 'dev/made': { path: 'database/creds/app' } };
  await using secrets = openVaultSecrets({ vault, mount: 'agov', engines, env, ids: idSource(env) });
  await secrets.set('dev/db', new Secret('v'));
  for (const path of ['dev/db', 'dev/made']) {
    const lease = await secrets.lease(path, { ttlMs: 60_000, intent: 'i' });
    await secrets.renew(lease.id, 90_000);
    await secrets.end(lease.id);
  }
  await secrets.remove('dev/db');
  expect(await secrets.leases()).toEqual([]);
});

it('serves for every step of an identity', async () => {
  const identities = openVaultIdentities({
    ...{ vault, names, mount: 'agov', project: 'p', tokenMs: () => 600_000, env, ids: idSource(env) },
  });
  await identities.enroll('bob', 'T1');
  await using credential = await identities.accept('bob', await identities.invite('bob', { ttlMs: 60_000 }));
  expect(credential.lifeMs).toBe(600_000);
  await identities.enroll('bob', 'T0');
  await identities.suspend('bob', 'tampered');
  await identities.restore('bob');
  await identities.revokeTier('T1');
  expect(await identities.revoke('bob')).toMatchObject({ known: true });
});

it('serves for looking at the layout', async () => {
  expect(await (await builtinLayout(vault, env, place)).differences()).toEqual([]);
});

it.each([
  ['its own policy', 'PUT', 'sys/policies/acl/agov-governor', { policy: '' }],
  ['the policy of a tier', 'PUT', 'sys/policies/acl/agov-t0', { policy: 'path "*" { capabilities = ["sudo"] }' }],
  ['a mount', 'POST', 'sys/mounts/more', { type: 'kv' }],
  ['the times of a login', 'POST', 'sys/mounts/auth/agov-t1/tune', { default_lease_ttl: 1 }],
  ['another login', 'POST', 'sys/auth/mine', { type: 'userpass' }],
  ['what a group gives', 'POST', 'identity/group/name/agov-t1', { policies: ['root'] }],
  ['what a group gives, by its id', 'POST', 'identity/group/id/x', { policies: ['root'] }],
  ['a group of its own', 'POST', 'identity/group', { name: 'mine', policies: ['agov-t3'] }],
  ['what a role gives', 'POST', 'auth/agov-t1/role/bob', { token_policies: ['agov-t3'] }],
  ['what a role gives, by its old name', 'POST', 'auth/agov-t1/role/bob', { policies: ['agov-t3'] }],
  ['what a role gives, by its part', 'POST', 'auth/agov-t1/role/bob/token-policies', { token_policies: ['x'] }],
  ['what an entity is given', 'POST', 'identity/entity/name/agov-bob', { policies: ['agov-t3'] }],
  ['an entity of somebody else', 'POST', 'identity/entity/name/admin', { disabled: true }],
  ['an audit device', 'DELETE', 'sys/audit/agov-audit-1', undefined],
] as const)('changes not %s', async (_what, method, path, body) => {
  const request = { method, path, ...(body ? { body } : {}) };
  await expect(vault.within((call) => vault.send(call, request))).rejects.toMatchObject({
    details: { reason: 'capability', path },
  });
});
