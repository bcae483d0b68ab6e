/** The layout on a live Vault. Audit devices are left out: one that fails would stop the server for everybody. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { builtinLayout } from '../../../../../test/support/vault/index.ts';
import { describeLive, takenAway } from '../../../../../test/support/vault/live.ts';
import { systemEnv } from '../../../../kernel/index.ts';
import { authAnswer } from '../../../vault-client/index.ts';
import type { Layout } from '../../port.ts';
import { vaultNames } from '../names.ts';

describeLive('the layout', (live) => {
  const { vault, mark, client, send } = live;
  const env = systemEnv();
  const names = vaultNames(`agovtest${mark}`);
  const place = {
    prefix: names.prefix,
    mount: `agov-test-${mark}`,
    signingKey: { mount: `agov-test-${mark}-transit`, key: 'ledger' },
  };
  const t1 = names.ofTier('T1');
  const paths = { policy: `sys/policies/acl/${t1}`, login: `sys/auth/${t1}`, group: `identity/group/name/${t1}` };
  let layout: Layout;

  const differing = async () => (await layout.differences()).map(({ path, kind }) => `${kind} ${path}`);
  const mendAll = async () => {
    for (const one of await layout.differences()) await layout.mend(one);
  };

  beforeAll(async () => {
    layout = await builtinLayout(vault, env, place);
  });
  afterAll(() => takenAway(live, names, place.mount, place.signingKey.mount));

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
