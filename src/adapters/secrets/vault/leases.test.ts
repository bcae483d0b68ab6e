/** What a lease is in Vault: a token that ends with it, an engine's credential that goes with the token, and no secret elsewhere. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeEnv, fakeEnv } from '../../../../test/support/fake-env.ts';
import { type FakeVault, fakeVault, openOwnVaultSecrets } from '../../../../test/support/vault/index.ts';
import { idSource, Secret } from '../../../kernel/index.ts';
import type { Secrets } from '../port.ts';

const use = { ttlMs: 600_000, intent: 'intent-1' };
const engines = {
  'dev/made': { path: 'database/creds/app' },
  'dev/cert': { path: 'pki/issue/agent', parameters: { common_name: 'a.example' } },
  'dev/loose': { path: 'pki/issue/unleased', parameters: {} },
};
let env: FakeEnv;
let vault: FakeVault;
let secrets: Secrets;
beforeEach(async () => {
  env = fakeEnv();
  vault = await fakeVault({ env });
  secrets = open();
});
afterEach(async () => {
  await secrets[Symbol.asyncDispose]();
  await vault[Symbol.asyncDispose]();
});

function open(): Secrets {
  return openOwnVaultSecrets({
    ...{ address: vault.address, mount: 'agov', engines, deadlineMs: 5000, env, ids: idSource(env) },
    auth: { method: 'token', token: () => new Secret(vault.root) },
  });
}

const children = () => [...vault.tokens.live.values()].filter(({ parent }) => parent === vault.root);
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
/** Lets background requests come to their end. */
async function until(done: () => boolean): Promise<void> {
  while (!done()) await settled();
}

describe('the lease of a stored secret', () => {
  it('is read with a token of its own, of limited uses, that names the intent and is gone at the end', async () => {
    await secrets.set('dev/db', new Secret('v'));
    const lease = await secrets.lease('dev/db', use);
    expect(children()).toMatchObject([{ meta: { agov_intent: 'intent-1' }, uses: 5, until: env.now() + use.ttlMs }]);
    const reads = vault.requests.filter(({ method, path }) => method === 'GET' && path === 'agov/data/dev/db');
    expect(reads.map(({ headers }) => headers['x-vault-token'])).toEqual([children()[0]?.text]);
    await secrets.end(lease.id);
    expect(children()).toEqual([]);
    expect([...vault.kv.secrets.keys()]).toEqual(['dev/db']);
  });

  it('leaves no token behind when there is nothing to read', async () => {
    await expect(secrets.lease('dev/none', use)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(children()).toEqual([]);
  });

  it('has an id that holds neither accessor nor token', async () => {
    await secrets.set('dev/db', new Secret('v'));
    const { id } = await secrets.lease('dev/db', use);
    const [child] = children();
    expect(id).not.toContain(child?.accessor);
    expect(id).not.toContain(child?.text);
    expect(JSON.stringify([...vault.kv.secrets])).not.toContain(child?.text);
  });

  it('has ended when Vault has ended its token', async () => {
    await secrets.set('dev/db', new Secret('v'));
    const { id } = await secrets.lease('dev/db', use);
    for (const child of children()) vault.tokens.revoke(child);
    await expect(secrets.renew(id, 1000)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await secrets.leases()).toEqual([]);
  });

  it('is swept from the record when it is over on every clock', async () => {
    await secrets.set('dev/db', new Secret('v'));
    await secrets.lease('dev/db', use);
    env.advance(use.ttlMs + 59_999);
    expect(await secrets.leases()).toEqual([]);
    expect(vault.kv.secrets.size).toBe(2);
    env.advance(1);
    expect(await secrets.leases()).toEqual([]);
    expect(vault.kv.secrets.size).toBe(1);
  });

  it('destroys every version of what is removed', async () => {
    await secrets.set('dev/db', new Secret('one'));
    await secrets.set('dev/db', new Secret('two'));
    await secrets.remove('dev/db');
    expect(JSON.stringify([...vault.kv.secrets])).not.toMatch(/one|two/);
  });

  it('tells the texts of several fields, so that each is redacted', async () => {
    vault.kv.answer('POST', 'data/dev/pair', false, { data: { user: 'app', login: { password: 'pw' } } });
    const lease = await secrets.lease('dev/pair', use);
    expect(lease.value.reveal()).toBe('{"user":"app","login":{"password":"pw"}}');
    expect(lease.parts?.map((part) => part.reveal())).toEqual(['app', 'pw']);
  });

  it('keeps both writes of two who write at once', async () => {
    const other = open();
    const infos = await Promise.all(
      Array.from({ length: 6 }, (_, i) => (i % 2 ? secrets : other).set('dev/db', new Secret(`${i}`))),
    );
    expect(infos.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4, 5, 6]);
    await other[Symbol.asyncDispose]();
  });
});

describe('the lease of an engine’s credential', () => {
  it('is revoked at its origin, and listed among the names', async () => {
    const lease = await secrets.lease('dev/made', use);
    expect(JSON.parse(lease.value.reveal())).toMatchObject({ username: expect.stringContaining('v-token') });
    expect(vault.leases.size).toBe(1);
    expect((await secrets.list('dev')).map(({ path }) => path)).toEqual(['dev/cert', 'dev/loose', 'dev/made']);
    await secrets.end(lease.id);
    expect(vault.leases.size).toBe(0);
  });

  it('is renewed in the background while the lease lives, and no longer', async () => {
    const lease = await secrets.lease('dev/made', use);
    const renewals = () => vault.requests.filter(({ path }) => path === 'sys/leases/renew').length;
    for (let i = 1; i <= 3; i++) {
      env.advance(40_000);
      await until(() => renewals() === i);
      await secrets.leases();
    }
    expect([...vault.leases.values()].every(({ until }) => until > env.now())).toBe(true);
    await secrets.end(lease.id);
    env.advance(40_000);
    await secrets.leases();
    expect(renewals()).toBe(3);
  });

  it('ends when its own life ends, where it cannot be renewed', async () => {
    const lease = await secrets.lease('dev/cert', use);
    expect(lease.expiresAt).toBe(env.now() + 300_000);
    env.advance(100_000);
    expect((await secrets.renew(lease.id, use.ttlMs)).expiresAt).toBe(lease.expiresAt);
  });

  it('stays listed with the reason while its origin does not answer, and is tried again', async () => {
    const lease = await secrets.lease('dev/made', use);
    vault.databaseDown = true;
    await expect(secrets.end(lease.id)).rejects.toMatchObject({
      code: 'SECRETS_UNAVAILABLE',
      why: expect.stringContaining('connection refused'),
      fix: expect.stringContaining('agov leases'),
    });
    expect(children()).toEqual([]);
    const other = open();
    expect(await other.leases()).toMatchObject([
      { id: lease.id, unended: expect.stringContaining('connection refused') },
    ]);
    await expect(secrets.renew(lease.id, 1000)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(secrets.end(lease.id)).rejects.toMatchObject({ code: 'SECRETS_UNAVAILABLE' });
    vault.databaseDown = false;
    expect(await other.leases()).toEqual([]);
    expect(vault.leases.size).toBe(0);
    await other[Symbol.asyncDispose]();
  });

  it('is ended in the background once its origin is back', async () => {
    const lease = await secrets.lease('dev/made', use);
    vault.databaseDown = true;
    await expect(secrets.end(lease.id)).rejects.toThrow();
    const revokes = () => vault.requests.filter(({ path }) => path === 'sys/leases/revoke').length;
    env.advance(5000);
    await until(() => revokes() === 2);
    expect(await secrets.leases()).toHaveLength(1);
    vault.databaseDown = false;
    env.advance(10_000);
    await until(() => vault.leases.size === 0);
    expect(await secrets.leases()).toEqual([]);
  });

  it('is refused without a lease, and never stored over', async () => {
    await expect(secrets.lease('dev/loose', use)).rejects.toMatchObject({
      fix: expect.stringContaining('generate_lease'),
    });
    expect(children()).toEqual([]);
    await expect(secrets.set('dev/made', new Secret('v'))).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(secrets.remove('dev/made')).rejects.toMatchObject({ code: 'CONFLICT' });
  });
});
