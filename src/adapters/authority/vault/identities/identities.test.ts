/** What an agent's identity in Vault guarantees: rights by its group alone, at the next request, and none after an end. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeEnv, fakeEnv } from '../../../../../test/support/fake-env.ts';
import { type Identified, identified } from '../../../../../test/support/vault/index.ts';
import { tiers } from '../../../../schemas/index.ts';
import type { Credential, Identities } from '../../port.ts';

let env: FakeEnv;
let one: Identified;
let identities: Identities;
beforeEach(async () => {
  env = fakeEnv();
  one = await identified(env);
  ({ identities } = one);
  for (const path of ['dev/db', 'staging/db']) one.vault.kv.answer('POST', `data/${path}`, false, { data: { v: 'x' } });
});
afterEach(() => one[Symbol.asyncDispose]());

const dev = 'agov/data/dev/db';
const staging = 'agov/data/staging/db';
const entityOf = (agent: string) => one.vault.identity.entities.get(`agov-${agent}`);
const groupsOf = (agent: string): readonly string[] =>
  one.vault.identity.groupsOf(entityOf(agent)?.id ?? '').map(({ name }) => name);
const rolesOf = (agent: string): readonly string[] =>
  [...one.vault.identity.roles.keys()].filter((key) => key.endsWith(`/${agent}`));

async function logIn(agent: string, by = identities): Promise<Credential> {
  return by.accept(agent, await by.invite(agent, { ttlMs: 60_000 }));
}

describe('enrolling', () => {
  it('makes an entity in one group, and a role that gives nothing by itself', async () => {
    await identities.enroll('bob', 'T1');
    expect(entityOf('bob')).toMatchObject({
      ...{ disabled: false, policies: [] },
      metadata: { agent: 'bob', tier: 'T1', project: 'project-1', standing: 'active' },
    });
    expect(groupsOf('bob')).toEqual(['agov-t1']);
    expect([...one.vault.identity.roles]).toMatchObject([
      [
        'agov-t1/role/bob',
        {
          settings: {
            ...{ token_type: 'service', token_no_default_policy: true, token_ttl: '600s', token_max_ttl: '600s' },
            ...{ secret_id_num_uses: 1, secret_id_ttl: '960s' },
          },
        },
      ],
    ]);
    expect([...one.vault.identity.roles.values()][0]?.settings).not.toHaveProperty('token_policies');
    expect(await identities.look('bob')).toEqual({ agent: 'bob', tier: 'T1', standing: 'active' });
  });

  it('is harmless to repeat: no second alias, no other role id', async () => {
    await identities.enroll('bob', 'T1');
    const before = [[...one.vault.identity.aliases], [...one.vault.identity.roles.keys()], entityOf('bob')];
    await identities.enroll('bob', 'T1');
    expect([[...one.vault.identity.aliases], [...one.vault.identity.roles.keys()], entityOf('bob')]).toEqual(before);
  });

  it('is finished by the next call, wherever it was cut', async () => {
    for (let cut = 1; ; cut++) {
      const agent = `bob${cut}`;
      let left = cut;
      one.vault.fault = (_path, response, { method }) => {
        if (method === 'GET' || --left > 0) return false;
        response.writeHead(403, { 'content-type': 'application/json' });
        response.end('{"errors":["permission denied"]}');
        return true;
      };
      const done = await identities.enroll(agent, 'T1').then(
        () => true,
        () => false,
      );
      one.vault.fault = undefined;
      if (done) {
        expect(cut).toBeGreaterThan(5);
        return;
      }
      await identities.enroll(agent, 'T1');
      await using credential = await logIn(agent);
      expect(await one.asks(credential.token, dev)).toBe(200);
    }
  });

  it('loses nobody when several governors enrol at once', async () => {
    const agents = Array.from({ length: 8 }, (_, i) => `agent-${i}`);
    await Promise.all(agents.map((agent, i) => one.other().enroll(agent, i % 2 === 0 ? 'T1' : 'T2')));
    for (const [i, agent] of agents.entries()) expect(groupsOf(agent)).toEqual([i % 2 === 0 ? 'agov-t1' : 'agov-t2']);
  });

  it('is not kept up by an entity that somebody deleted', async () => {
    await identities.enroll('gone', 'T1');
    one.vault.identity.entities.delete('agov-gone');
    // As Vault answers to a group with a member that is not there.
    one.vault.fault = (path, response, request) => {
      if (request.method !== 'POST' || path !== 'identity/group/name/agov-t1' || tried++ > 4) return false;
      response.writeHead(500, { 'content-type': 'application/json' });
      response.end('{"errors":["invalid entity ID"]}');
      return true;
    };
    let tried = 0;
    const enrolled = identities.enroll('bob', 'T1');
    let over = false;
    void enrolled.finally(() => (over = true)).catch(() => undefined);
    while (!over) {
      await new Promise((resolve) => setImmediate(resolve));
      env.advance(5);
    }
    await enrolled;
    expect(groupsOf('bob')).toEqual(['agov-t1']);
  });

  it.each([
    ['of another project', () => one.other('project-2').enroll('bob', 'T1'), 'another project'],
    ['that nobody made', () => Promise.resolve(), 'nobody that agov knows'],
  ])('takes over no identity %s', async (_what, prepare, message) => {
    await prepare();
    if (!entityOf('bob')) {
      const entity = { id: 'x', name: 'agov-bob', disabled: false, policies: ['admin'], metadata: {} };
      one.vault.identity.entities.set('agov-bob', entity);
    }
    await expect(identities.enroll('bob', 'T1')).rejects.toMatchObject({
      ...{ code: 'CONFLICT', what: expect.stringContaining(message) },
    });
    expect(rolesOf('bob').length).toBe(_what === 'of another project' ? 1 : 0);
  });

  it('refuses policies of its own and ways in that agov did not make', async () => {
    await identities.enroll('bob', 'T1');
    const entity = entityOf('bob');
    if (entity) entity.policies = ['admin'];
    await expect(identities.enroll('bob', 'T1')).rejects.toMatchObject({ what: expect.stringContaining('admin') });
    if (entity) entity.policies = [];
    const alias = { id: 'a', name: 'eve', mount_accessor: 'auth_userpass_1', canonical_id: entity?.id ?? '' };
    one.vault.identity.aliases.set('a', alias);
    await expect(identities.enroll('bob', 'T1')).rejects.toMatchObject({
      what: expect.stringContaining('auth_userpass_1'),
    });
  });

  it('names the set-up where the layout is missing', async () => {
    one.vault.groups.delete('agov-t3');
    await expect(identities.enroll('bob', 'T1')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      fix: 'Run: agov vault setup',
    });
  });
});

describe('a live token', () => {
  it('has the new tier’s rights at its next request, up and down, and no others', async () => {
    await identities.enroll('bob', 'T1');
    await using credential = await logIn('bob');
    expect([await one.asks(credential.token, dev), await one.asks(credential.token, staging)]).toEqual([200, 403]);
    await identities.enroll('bob', 'T2');
    expect([await one.asks(credential.token, dev), await one.asks(credential.token, staging)]).toEqual([200, 200]);
    await identities.enroll('bob', 'T0');
    expect([await one.asks(credential.token, dev), await one.asks(credential.token, staging)]).toEqual([403, 403]);
    expect([groupsOf('bob'), rolesOf('bob')]).toEqual([['agov-t0'], ['agov-t0/role/bob']]);
  });

  it('never has the rights of two tiers, wherever a demotion is cut', async () => {
    await identities.enroll('bob', 'T2');
    await using credential = await logIn('bob');
    const has: (readonly string[])[] = [];
    one.vault.fault = () => {
      has.push(groupsOf('bob'));
      return false;
    };
    await identities.enroll('bob', 'T1');
    expect(has.every((groups) => groups.length <= 1)).toBe(true);
    expect(has.some((groups) => groups.length === 0)).toBe(true);
    one.vault.fault = undefined;
    expect(await one.asks(credential.token, staging)).toBe(403);
  });

  it('is demoted for good although another governor writes an older list over it', async () => {
    await identities.enroll('bob', 'T2');
    const slow = one.other();
    let paused: (() => void) | undefined;
    const reached = new Promise<void>((resolve) => {
      one.vault.fault = (path, response, request) => {
        if (paused || request.method !== 'POST' || path !== 'identity/group/name/agov-t2') return false;
        paused = () => {
          const group = one.vault.groups.get('agov-t2');
          // What the slow one wrote before it saw the demotion, arriving after it.
          if (group) {
            const member_entity_ids = [entityOf('bob')?.id ?? '', entityOf('carol')?.id ?? ''];
            one.vault.groups.set('agov-t2', { ...group, member_entity_ids });
          }
          response.writeHead(204).end();
        };
        resolve();
        return true;
      };
    });
    const enrolling = slow.enroll('carol', 'T2');
    await reached;
    await identities.enroll('bob', 'T1');
    paused?.();
    await enrolling;
    expect([groupsOf('bob'), groupsOf('carol')]).toEqual([['agov-t1'], ['agov-t2']]);
  });

  it('is refused at once while its identity is suspended, and no login is taken', async () => {
    await identities.enroll('bob', 'T1');
    await using credential = await logIn('bob');
    const invitation = await identities.invite('bob', { ttlMs: 60_000 });
    expect(await identities.suspend('bob')).toBe(true);
    expect(await one.asks(credential.token, dev)).toBe(403);
    await expect(identities.accept('bob', invitation)).rejects.toMatchObject({ code: 'AGENT_NOT_ACTIVE' });
    await expect(identities.invite('bob', { ttlMs: 60_000 })).rejects.toMatchObject({ code: 'AGENT_NOT_ACTIVE' });
    await identities.enroll('bob', 'T1');
    expect(await one.asks(credential.token, dev)).toBe(403);
    expect(await identities.restore('bob')).toBe(true);
    expect(await one.asks(credential.token, dev)).toBe(200);
    expect(await identities.suspend('nobody')).toBe(false);
  });

  it('ends with its credential, and leaves no record', async () => {
    await identities.enroll('bob', 'T1');
    const credential = await logIn('bob');
    const records = (): number => [...one.vault.kv.secrets.keys()].filter((key) => key.includes('/tokens/')).length;
    expect([await one.asks(credential.token, dev), records()]).toEqual([200, 1]);
    expect(JSON.stringify([...one.vault.kv.secrets])).not.toContain(credential.token.reveal());
    await credential[Symbol.asyncDispose]();
    await credential[Symbol.asyncDispose]();
    expect([await one.asks(credential.token, dev), records()]).toEqual([403, 0]);
  });
});

describe('revoking', () => {
  it('is for good: tokens, leases below, role and later enrolments; on any governor, and twice', async () => {
    await identities.enroll('bob', 'T1');
    const first = await logIn('bob');
    await logIn('bob', one.other());
    expect(await one.other().revoke('bob')).toEqual({ known: true, tokens: 2 });
    expect(await one.asks(first.token, dev)).toBe(403);
    expect([...one.vault.tokens.live.values()].filter(({ entity }) => entity !== undefined)).toEqual([]);
    expect([rolesOf('bob'), entityOf('bob')?.disabled]).toEqual([[], true]);
    expect(await identities.revoke('bob')).toEqual({ known: true, tokens: 0 });
    await expect(identities.enroll('bob', 'T1')).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(identities.restore('bob')).rejects.toMatchObject({ code: 'AGENT_NOT_ACTIVE' });
    expect(await identities.revoke('nobody')).toEqual({ known: false, tokens: 0 });
  });

  it('goes on where it can, tells what failed, and is finished later', async () => {
    await identities.enroll('bob', 'T1');
    const credential = await logIn('bob');
    one.vault.fault = (path, response) => {
      if (path !== 'identity/entity/name/agov-bob') return false;
      response.writeHead(403, { 'content-type': 'application/json' });
      response.end('{"errors":["permission denied"]}');
      return true;
    };
    await expect(identities.revoke('bob')).rejects.toMatchObject({ code: 'SECRETS_UNAVAILABLE' });
    one.vault.fault = undefined;
    expect(await one.asks(credential.token, dev)).toBe(403);
    expect(rolesOf('bob')).toEqual([]);
    expect(await identities.look('bob')).toMatchObject({ standing: 'active' });
    await identities.revoke('bob');
    expect(await identities.look('bob')).toMatchObject({ standing: 'revoked' });
  });

  it('ends the other tokens when one cannot be ended, and says that it lives on', async () => {
    await identities.enroll('bob', 'T1');
    await logIn('bob');
    await logIn('bob');
    let answered = 0;
    one.vault.fault = (path, response) => {
      if (path !== 'auth/token/revoke-accessor' || answered++ > 0) return false;
      response.writeHead(403, { 'content-type': 'application/json' });
      response.end('{"errors":["permission denied"]}');
      return true;
    };
    const left = () => [...one.vault.tokens.live.values()].filter(({ entity }) => entity !== undefined);
    await expect(identities.revoke('bob')).rejects.toMatchObject({ details: { reason: 'unrevoked' } });
    expect([left().length, entityOf('bob')?.disabled]).toEqual([1, true]);
    expect(await identities.revoke('bob')).toEqual({ known: true, tokens: 1 });
    expect(left()).toEqual([]);
  });

  it('of a tier ends every token of it, also those of agents that came from another', async () => {
    await Promise.all([identities.enroll('bob', 'T1'), one.other().enroll('carol', 'T0')]);
    await identities.enroll('dan', 'T2');
    const [bob, carol, dan] = [await logIn('bob'), await logIn('carol'), await logIn('dan')];
    await identities.enroll('carol', 'T1');
    expect(await one.asks(carol.token, dev)).toBe(200);
    expect(await identities.revokeTier('T1')).toEqual({ known: true, tokens: 1 });
    expect(await Promise.all([bob, carol, dan].map(({ token }) => one.asks(token, dev)))).toEqual([403, 403, 200]);
    await using again = await logIn('bob');
    expect(await one.asks(again.token, dev)).toBe(200);
    for (const tier of tiers) await identities.revokeTier(tier);
  });
});
