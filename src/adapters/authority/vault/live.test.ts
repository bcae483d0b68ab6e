/**
 * The layout on a live Vault: `npm run test:vault`, with VAULT_ADDR and VAULT_TOKEN of somebody who may set a Vault up.
 * Everything is made under a prefix and mounts of its own and taken away again; at the end the server has what it had.
 * Audit devices are left out: one that fails would stop the server for everybody.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { builtinLayout } from '../../../../test/support/vault/index.ts';
import { Secret, systemEnv } from '../../../kernel/index.ts';
import { tiers } from '../../../schemas/index.ts';
import { authAnswer, keysAnswer, openVault, type Vault } from '../../vault-client/index.ts';
import type { Layout } from '../port.ts';
import { vaultNames } from './names.ts';

const live = process.env['AGOV_TEST_VAULT'] === 'live';

(live ? describe : describe.skip)(`a live Vault${live ? '' : ' (skipped: npm run test:vault asks for it)'}`, () => {
  const env = systemEnv();
  const mark = Buffer.from(env.random(6)).toString('hex');
  const names = vaultNames(`agovtest${mark}`);
  const place = {
    prefix: names.prefix,
    mount: `agov-test-${mark}`,
    signingKey: { mount: `agov-test-${mark}-transit`, key: 'ledger' },
  };
  const t1 = names.ofTier('T1');
  const paths = { policy: `sys/policies/acl/${t1}`, login: `sys/auth/${t1}`, group: `identity/group/name/${t1}` };
  const vault = client(needed('VAULT_TOKEN'));
  let before: unknown;
  let layout: Layout;

  const send = (method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object) =>
    vault.within((call) => vault.send(call, { method, path, ...(body ? { body: { ...body } } : {}) }, 404));
  const differing = async () => (await layout.differences()).map(({ path, kind }) => `${kind} ${path}`);
  const mendAll = async () => {
    for (const one of await layout.differences()) await layout.mend(one);
  };

  beforeAll(async () => {
    before = await found(vault);
    layout = await builtinLayout(vault, env, place);
  });
  afterAll(async () => {
    for (const tier of tiers) {
      await send('DELETE', `identity/group/name/${names.ofTier(tier)}`);
      await send('DELETE', `sys/auth/${names.ofTier(tier)}`);
    }
    await send('DELETE', `sys/mounts/${place.mount}`);
    await send('DELETE', `sys/mounts/${place.signingKey.mount}`);
    for (const name of await policiesOf(vault)) {
      if (name.startsWith(`${names.prefix}-`)) await send('DELETE', `sys/policies/acl/${name}`);
    }
    const after = await found(vault);
    await vault[Symbol.asyncDispose]();
    expect(after).toEqual(before);
  });

  it('is made from nothing, and stands as it was made', async () => {
    expect((await differing()).every((one) => one.startsWith('missing '))).toBe(true);
    await mendAll();
    expect(await differing()).toEqual([]);
  });

  it('shows every kind of drift, and none in other words of the same policy', async () => {
    await send('PUT', paths.policy, { policy: 'path "x" { capabilities = ["sudo", "read"] }' });
    await send('POST', `sys/mounts/auth/${t1}/tune`, { max_lease_ttl: 2_764_800, token_type: 'default-service' });
    await send('POST', paths.group, { policies: [t1, 'default'] });
    await send('POST', `${place.mount}/config`, { cas_required: false });
    await send('PUT', `sys/policies/acl/${t1}-more`, { policy: 'path "x" { capabilities = ["read"] }' });
    expect((await differing()).sort()).toEqual([
      ...[`differs ${paths.group}`, `differs ${paths.login}`, `differs sys/mounts/${place.mount}`],
      ...[`differs ${paths.policy}`, `extra ${paths.policy}-more`],
    ]);
    await send('DELETE', `${paths.policy}-more`);
    await mendAll();
    expect(await differing()).toEqual([]);
    const policy = z.object({ data: z.object({ policy: z.string() }) });
    const text = (await vault.within((call) => vault.ask(call, { method: 'GET', path: paths.policy }, policy))).data
      .policy;
    await send('PUT', paths.policy, {
      policy: `# other words\n${text.replaceAll('\n', ' ').replaceAll('path', '\npath')}`,
    });
    expect(await differing()).toEqual([]);
  });

  it('keeps the members of a group through a mend', async () => {
    const entity = z.object({ data: z.object({ id: z.string() }) });
    const path = `identity/entity/name/${names.ofAgent('live')}`;
    await send('POST', path, { metadata: { agent: 'live' } });
    const { id } = (await vault.within((call) => vault.ask(call, { method: 'GET', path }, entity))).data;
    await send('POST', paths.group, { member_entity_ids: [id], policies: [] });
    await mendAll();
    const group = z.object({
      data: z.object({ policies: z.array(z.string()), member_entity_ids: z.array(z.string()) }),
    });
    const now = await vault.within((call) => vault.ask(call, { method: 'GET', path: paths.group }, group));
    await send('DELETE', path);
    expect(now.data).toEqual({ policies: [t1], member_entity_ids: [id] });
  });

  it('is seen by the governor’s token, which may change members and roles and not what they give', async () => {
    const body = { policies: [names.governorPolicy], ttl: '60s', no_default_policy: true };
    const request = { method: 'POST', path: 'auth/token/create', body } as const;
    const { client_token } = (await vault.within((call) => vault.ask(call, request, authAnswer))).auth;
    await using governor = client(client_token);
    expect(await (await builtinLayout(governor, env, place)).differences()).toEqual([]);
    const asks = (method: 'POST' | 'PUT', path: string, of: object) =>
      governor.within((call) => governor.send(call, { method, path, body: { ...of } }));
    await asks('POST', paths.group, { member_entity_ids: [] });
    await asks('POST', `auth/${t1}/role/live`, { token_type: 'service' });
    for (const [method, path, of] of [
      ['PUT', paths.policy, { policy: 'path "*" { capabilities = ["sudo"] }' }],
      ['POST', paths.group, { policies: ['default'] }],
      ['POST', `auth/${t1}/role/live`, { token_policies: ['default'] }],
      ['POST', `identity/entity/name/${names.ofAgent('live')}`, { policies: ['default'] }],
    ] as const) {
      await expect(asks(method, path, of), path).rejects.toMatchObject({ details: { reason: 'capability' } });
    }
    await governor.within((call) => governor.send(call, { method: 'POST', path: 'auth/token/revoke-self' }));
  });
});

function client(token: string): Vault {
  const caFile = process.env['VAULT_CACERT'];
  return openVault({
    ...{ address: new URL(needed('VAULT_ADDR')), namespace: process.env['VAULT_NAMESPACE'], deadlineMs: 15_000 },
    ca: caFile === undefined ? undefined : readFileSync(caFile, 'utf8'),
    auth: { method: 'token', token: () => new Secret(token) },
    env: systemEnv(),
  });
}

function needed(variable: string): string {
  const value = process.env[variable];
  if (value) return value;
  if (live) throw new Error(`npm run test:vault needs ${variable}.`);
  return 'http://127.0.0.1';
}

const listed = z.object({ data: z.record(z.string(), z.unknown()) });

async function policiesOf(vault: Vault): Promise<readonly string[]> {
  return keys(vault, 'sys/policies/acl');
}

async function keys(vault: Vault, path: string): Promise<readonly string[]> {
  return vault.within(async (call) => {
    const answer = await vault.send(call, { method: 'LIST', path }, 404);
    return answer.status === 404 ? [] : keysAnswer.parse(answer.json).data.keys.sort();
  });
}

async function found(vault: Vault) {
  const get = (path: string) => vault.within((call) => vault.ask(call, { method: 'GET', path }, listed));
  return {
    mounts: Object.keys((await get('sys/mounts')).data).sort(),
    logins: Object.keys((await get('sys/auth')).data).sort(),
    policies: await policiesOf(vault),
    groups: await keys(vault, 'identity/group/name'),
    entities: await keys(vault, 'identity/entity/name'),
    tokens: await keys(vault, 'auth/token/accessors/'),
  };
}
