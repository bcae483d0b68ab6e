/** The token's life: looked at, renewed at two thirds, got anew at the cap; and every way in which it may not do. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fakeEnv } from '../../../test/support/fake-env.ts';
import { describeWith } from '../../../test/support/needs.ts';
import { type Opened, opened, refusal, roleId, secretText } from '../../../test/support/vault/index.ts';
import { Secret } from '../../kernel/index.ts';

const use = { ttlMs: 60_000, intent: 'intent-1' };
const approle = {
  method: 'approle',
  mount: 'agov-t1',
  roleId: () => new Secret(roleId),
  secretId: () => new Secret('fake-secret-id'),
} as const;

const count = ({ vault }: Opened, path: string): number => vault.requests.filter((one) => one.path === path).length;
const logins = (one: Opened): number => count(one, 'auth/agov-t1/login');
const renewals = (one: Opened): number => count(one, 'auth/token/renew-self');
async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
}

describe('by AppRole', () => {
  it('logs in once, renews at two thirds, and logs in again at the cap', async () => {
    const env = fakeEnv();
    await using one = await opened({ env, auth: approle }, { roleTtlMs: 300_000, roleMaxMs: 700_000 });
    await one.secrets.list();
    await one.secrets.list();
    expect([logins(one), renewals(one)]).toEqual([1, 0]);
    env.advance(199_999);
    await one.secrets.list();
    expect(renewals(one)).toBe(0);
    env.advance(1);
    await until(() => renewals(one) === 1);
    await one.secrets.list();
    env.advance(200_000);
    await until(() => renewals(one) === 2);
    await one.secrets.list();
    expect(logins(one)).toBe(1);
    env.advance(200_000);
    await until(() => logins(one) === 2);
    await one.secrets.list();
  });

  it('has a token that outlives the lease that hangs on it', async () => {
    await using one = await opened({ auth: approle }, { roleTtlMs: 20_000, roleMaxMs: 1_800_000 });
    await one.secrets.lease('dev/db', use);
    expect([logins(one), renewals(one)]).toEqual([1, 1]);
    const live = [...one.vault.tokens.live.values()];
    const child = live.find(({ parent }) => parent !== undefined);
    const parent = live.find(({ text }) => text === child?.parent);
    expect(child?.until).toBeGreaterThan(0);
    expect(parent?.until).toBeGreaterThanOrEqual(child?.until ?? Number.POSITIVE_INFINITY);
  });

  it('gives a shorter lease where the token cannot live long enough, and does not log in for nothing', async () => {
    const env = fakeEnv();
    await using one = await opened({ env, auth: approle }, { roleTtlMs: 20_000, roleMaxMs: 20_000 });
    const lease = await one.secrets.lease('dev/db', use);
    expect(lease.expiresAt - lease.issuedAt).toBe(20_000);
    await one.secrets.lease('dev/db', use);
    expect(logins(one)).toBe(1);
  });

  it('logs in again when its token was revoked, and serves on with a live one when it cannot', async () => {
    await using one = await opened({ auth: approle });
    await one.secrets.list();
    for (const token of one.vault.tokens.live.values())
      if (token.text !== one.vault.root) one.vault.tokens.revoke(token);
    await one.secrets.list();
    expect(logins(one)).toBe(2);
    one.vault.secretIds.clear();
    await one.secrets.list();
    for (const token of one.vault.tokens.live.values())
      if (token.text !== one.vault.root) one.vault.tokens.revoke(token);
    const error = await refusal(one.secrets.list());
    expect(error).toMatchObject({ details: { reason: 'token' }, fix: expect.stringContaining('AGOV_VAULT_SECRET_ID') });
  });

  it('serves to the end of its token with a secret id that is used up', async () => {
    const env = fakeEnv();
    await using one = await opened({ env, auth: approle }, { roleTtlMs: 60_000, roleMaxMs: 80_000 });
    await one.secrets.list();
    one.vault.secretIds.clear();
    env.advance(40_000);
    await until(() => logins(one) === 2);
    const lease = await one.secrets.lease('dev/db', use);
    expect(lease.expiresAt - lease.issuedAt).toBe(40_000);
    env.advance(40_000);
    // The jump went over the deadline of the last login in the background; whoever joins that one ends with it.
    await refusal(one.secrets.list());
    expect((await refusal(one.secrets.list())).details).toMatchObject({ reason: 'token' });
  });

  it('leaves no token when it closes, unless a lease hangs on it', async () => {
    const one = await opened({ auth: approle });
    const lease = await one.secrets.lease('dev/db', use);
    await one.secrets.end(lease.id);
    await one.secrets[Symbol.asyncDispose]();
    expect(one.vault.tokens.live.size).toBe(1);
    const two = await opened({ auth: approle });
    await two.secrets.lease('dev/db', use);
    await two.secrets[Symbol.asyncDispose]();
    expect(two.vault.tokens.live.size).toBe(3);
    for (const { vault } of [one, two]) await vault[Symbol.asyncDispose]();
  });

  it('refuses batch tokens, which nobody can revoke', async () => {
    await using one = await opened({ auth: approle }, { roleType: 'batch' });
    expect(await refusal(one.secrets.list())).toMatchObject({ what: expect.stringContaining('batch') });
  });
});

describe('a token that is given', () => {
  const given = (make: (one: Opened) => string) => {
    let text = '';
    return {
      auth: { method: 'token', token: () => new Secret(text) } as const,
      use: (one: Opened) => {
        text = make(one);
      },
    };
  };

  it('that has expired is named, with what to do', async () => {
    const token = given(({ vault }) => vault.tokens.make({ ttlMs: -1 }).text);
    await using one = await opened({ auth: token.auth });
    token.use(one);
    const error = await refusal(one.secrets.list());
    expect(error).toMatchObject({ details: { reason: 'token' }, fix: expect.stringContaining('VAULT_TOKEN') });
  });

  it('that is revoked in the middle of a run is named, and its successor serves without a restart', async () => {
    const token = given(({ vault }) => vault.tokens.make({}).text);
    await using one = await opened({ auth: token.auth });
    token.use(one);
    await one.secrets.list();
    for (const live of one.vault.tokens.live.values()) one.vault.tokens.revoke(live);
    expect((await refusal(one.secrets.list())).details).toMatchObject({ reason: 'token' });
    token.use(one);
    await one.secrets.list();
  });

  it('may too little: the path and the capability are named', async () => {
    const token = given(({ vault }) => vault.tokens.make({ policy: 'narrow' }).text);
    await using one = await opened({ auth: token.auth });
    one.vault.tokens.policies.set('narrow', {
      'agov/data/*': ['read'],
      'agov/metadata/*': ['read'],
      'sys/leases/*': ['update'],
    });
    token.use(one);
    const { secrets } = one;
    const refused = [
      [() => secrets.list('dev'), 'agov/metadata/dev/', ['list']],
      [() => secrets.set('dev/x', new Secret(secretText)), 'agov/data/dev/x', ['create', 'update']],
      [() => secrets.remove('dev/db'), 'agov/destroy/dev/db', ['update']],
      [() => secrets.lease('dev/db', use), 'auth/token/create', ['create', 'update']],
    ] as const;
    for (const [ask, path, capability] of refused) {
      const error = await refusal(ask());
      expect(error).toMatchObject({ details: { reason: 'capability', path, capability } });
      expect(error.fix).toContain(`path "${path}"`);
    }
  });
});

describe('a mount', () => {
  it.each([
    ['of version 1', 'old', 'vault kv enable-versioning old/'],
    ['of another engine', 'pki', 'secrets enable'],
    ['that is not there', 'none', 'vault secrets enable -path=none -version=2 kv'],
  ])('%s is named', async (_what, mount, fix) => {
    await using one = await opened({ mount });
    const error = await refusal(one.secrets.lease('dev/db', use));
    expect(error).toMatchObject({ details: { reason: 'mount' }, fix: expect.stringContaining(fix) });
  });

  it('that the token cannot see is told from one that is not there', async () => {
    let text = '';
    await using one = await opened({ auth: { method: 'token', token: () => new Secret(text) } });
    text = one.vault.tokens.make({ policy: 'nothing' }).text;
    expect((await refusal(one.secrets.list())).details).toMatchObject({ reason: 'capability', path: 'agov/data/*' });
  });

  it('in a namespace that is not there is named', async () => {
    await using one = await opened({ namespace: 'team-x' });
    one.vault.fault = (path, response, request) => {
      if (request.headers['x-vault-namespace'] !== 'team-x') return false;
      response.writeHead(404).end(JSON.stringify({ errors: [`no handler for route "team-x/${path}".`] }));
      return true;
    };
    const error = await refusal(one.secrets.list());
    expect(error).toMatchObject({
      details: { reason: 'namespace' },
      fix: expect.stringContaining('secrets.vault.namespace'),
    });
  });
});

it('an address where nobody listens is named', async () => {
  await using one = await opened({ address: new URL('http://127.0.0.1:1') });
  expect(await refusal(one.secrets.list())).toMatchObject({
    details: { reason: 'address' },
    what: expect.stringContaining('http://127.0.0.1:1'),
    why: expect.stringContaining('ECONNREFUSED'),
  });
});

describeWith('openssl', 'a certificate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'agov-vault-tls-'));
  const [certPath, keyPath] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const words = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=vault.test';
  spawnSync('openssl', [
    ...words.split(' '),
    '-addext',
    'subjectAltName=IP:127.0.0.1',
    '-keyout',
    keyPath,
    '-out',
    certPath,
  ]);
  const tls = { cert: readFileSync(certPath, 'utf8'), key: readFileSync(keyPath, 'utf8') };
  rmSync(folder, { recursive: true });

  it('that nobody vouches for is named, once, and believed by its own authority', async () => {
    await using one = await opened({}, { tls });
    expect(await refusal(one.secrets.list())).toMatchObject({
      details: { reason: 'certificate' },
      fix: expect.stringContaining('secrets.vault.caFile'),
    });
    expect(one.vault.requests).toEqual([]);
    await using two = await opened({ ca: tls.cert }, { tls });
    expect(await two.secrets.list()).toHaveLength(1);
  });

  it('for another name, and no TLS at all, are named', async () => {
    await using one = await opened({ ca: tls.cert }, { tls });
    const elsewhere = new URL(`https://localhost:${one.vault.address.port}`);
    await using two = await opened({ ca: tls.cert, address: elsewhere });
    expect(await refusal(two.secrets.list())).toMatchObject({ why: expect.stringContaining('ERR_TLS_CERT_ALTNAME') });
    await using plain = await opened();
    const secure = new URL(`https://127.0.0.1:${plain.vault.address.port}`);
    await using three = await opened({ address: secure });
    expect(await refusal(three.secrets.list())).toMatchObject({ what: expect.stringContaining('does not speak TLS') });
  });
});
