/** Invitations as a thief, a forger and a clumsy courier meet them. */
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type FakeEnv, fakeEnv } from '../../../../../test/support/fake-env.ts';
import { type Identified, identified } from '../../../../../test/support/vault/index.ts';
import { AgovError, Secret } from '../../../../kernel/index.ts';
import type { Identities, Invitation } from '../../port.ts';

let env: FakeEnv;
let one: Identified;
let identities: Identities;
beforeEach(async () => {
  env = fakeEnv();
  one = await identified(env);
  ({ identities } = one);
  await identities.enroll('bob', 'T1');
});
afterEach(() => one[Symbol.asyncDispose]());

const minute = { ttlMs: 60_000, delivered: true } as const;
const liveOf = (agent: string) =>
  [...one.vault.tokens.live.values()].filter(
    ({ entity }) => entity === one.vault.identity.entities.get(`agov-${agent}`)?.id,
  );

/** What Vault answers to the holder of any token. */
async function vaultAnswers(token: Secret, path: string, body: object, wrap?: string): Promise<unknown> {
  const headers = { 'X-Vault-Token': token.reveal(), ...(wrap === undefined ? {} : { 'X-Vault-Wrap-TTL': wrap }) };
  const sent = { method: 'POST', headers, body: JSON.stringify(body) };
  return (await fetch(new URL(`/v1/${path}`, one.vault.address), sent)).json();
}

async function refused(promise: Promise<unknown>, code: string, reason: string): Promise<AgovError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AgovError)) throw error ?? new Error('It was not refused.');
  expect([error.code, error.details?.['reason']]).toEqual([code, reason]);
  expect(`${inspect(error, { depth: 9 })}${JSON.stringify(error)}`).not.toMatch(/fake-token|fake-secret-id/);
  return error;
}

it('lets in once, with a secret id that nobody but the one who opens it has seen', async () => {
  const invitation = await identities.invite('bob', minute);
  expect(invitation).toMatchObject({ expiresAt: env.now() + 60_000, id: expect.any(String) });
  await using credential = await one.other().accept('bob', invitation);
  expect(credential.lifeMs).toBe(600_000);
  expect(inspect([invitation, credential])).not.toContain('fake-token');
  const [minted] = one.vault.requests.filter(({ path }) => path.endsWith('/secret-id'));
  expect(minted?.headers['x-vault-wrap-ttl']).toBe('60s');
  expect(one.vault.identity.wrapped.size).toBe(0);
});

it('shows that somebody else opened it', async () => {
  const invitation = await identities.invite('bob', minute);
  expect(await vaultAnswers(invitation.token, 'sys/wrapping/unwrap', {})).toMatchObject({
    data: { secret_id: expect.stringContaining('fake-secret-id') },
  });
  await refused(identities.accept('bob', invitation), 'IDENTITY_TAMPERED', 'opened');
  expect(liveOf('bob')).toEqual([]);
});

it('shows that somebody opened it between the look and the opening', async () => {
  const invitation = await identities.invite('bob', minute);
  one.vault.fault = (path) => {
    if (path === 'sys/wrapping/unwrap') one.vault.identity.wrapped.clear();
    return false;
  };
  await refused(identities.accept('bob', invitation), 'IDENTITY_TAMPERED', 'opened');
});

it('is told apart when it is a copy of one that was used', async () => {
  const invitation = await identities.invite('bob', minute);
  await using _first = await identities.accept('bob', invitation);
  await refused(one.other().accept('bob', invitation), 'INVITATION_INVALID', 'used');
  expect(liveOf('bob')).toHaveLength(1);
});

it('lets in one of two who use copies at the same moment', async () => {
  const invitation = await identities.invite('bob', minute);
  const both = await Promise.allSettled([identities.accept('bob', invitation), one.other().accept('bob', invitation)]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { code: 'INVITATION_INVALID', details: { reason: 'used' } },
  });
});

it('accuses nobody when its time is over', async () => {
  const invitation = await identities.invite('bob', minute);
  env.advance(56_000);
  await refused(identities.accept('bob', invitation), 'INVITATION_INVALID', 'expired');
  expect(liveOf('bob')).toEqual([]);
});

it('refuses an envelope from another place, and does not open it', async () => {
  const root = new Secret(one.vault.root);
  const { wrap_info } = (await vaultAnswers(root, 'auth/token/create', { ttl: '60s', num_uses: 1 }, '60s')) as {
    wrap_info: { token: string };
  };
  const invitation = { token: new Secret(wrap_info.token), expiresAt: env.now() + 60_000 };
  const error = await refused(identities.accept('bob', invitation), 'IDENTITY_TAMPERED', 'path');
  expect(error.why).toContain('auth/token/create');
  expect(one.vault.identity.wrapped.size).toBe(1);
});

it('refuses the secret id of another agent’s role, whatever is written on the envelope', async () => {
  await identities.enroll('eve', 'T1');
  const eves = await identities.invite('eve', minute);
  await refused(identities.accept('bob', eves), 'INVITATION_INVALID', 'agent');
  const { id: _id, ...unnamed } = eves;
  await refused(identities.accept('bob', unnamed), 'INVITATION_INVALID', 'agent');
  const bobs = await identities.invite('bob', minute);
  await refused(identities.accept('bob', { ...bobs, token: eves.token }), 'INVITATION_INVALID', 'agent');
  expect([liveOf('bob'), liveOf('eve')]).toEqual([[], []]);
  await using _eve = await identities.accept('eve', eves);
});

it('is no way in to an earlier tier, nor one that nobody recorded', async () => {
  const early = await identities.invite('bob', minute);
  await identities.enroll('bob', 'T2');
  await refused(identities.accept('bob', early), 'INVITATION_INVALID', 'agent');
  const late = await identities.invite('bob', minute);
  await refused(identities.accept('bob', { ...late, id: env.now().toString() }), 'INVITATION_INVALID', 'unknown');
});

it.each([
  ['a role that was given a policy', 'policies', () => roleOf('bob', { token_policies: ['admin'] })],
  ['a role that leads to another identity', 'entity', () => retie('bob', 'eve')],
])('hands out no token of %s, and leaves none', async (_what, reason, tamper) => {
  await identities.enroll('eve', 'T2');
  const invitation = await identities.invite('bob', minute);
  tamper();
  await refused(identities.accept('bob', invitation), 'IDENTITY_TAMPERED', reason);
  expect([liveOf('bob'), liveOf('eve')]).toEqual([[], []]);
});

function roleOf(agent: string, settings: Readonly<Record<string, unknown>>): void {
  const role = one.vault.identity.roles.get(`agov-t1/role/${agent}`);
  if (role) role.settings = { ...role.settings, ...settings };
}

function retie(agent: string, to: string): void {
  const { aliases, entities, roles } = one.vault.identity;
  const name = roles.get(`agov-t1/role/${agent}`)?.role_id;
  const canonical_id = entities.get(`agov-${to}`)?.id ?? '';
  for (const [id, alias] of aliases) if (alias.name === name) aliases.set(id, { ...alias, canonical_id });
}

it('brings an identity in line that an interrupted change left without its group, and refuses a stranger’s group', async () => {
  const group = one.vault.groups.get('agov-t1');
  if (group) one.vault.groups.set('agov-t1', { ...group, member_entity_ids: [] });
  await using _mended = await identities.accept('bob', await identities.invite('bob', minute));
  const member_entity_ids = [one.vault.identity.entities.get('agov-bob')?.id ?? ''];
  if (group)
    one.vault.groups.set('admins', { ...group, id: 'x', name: 'admins', policies: ['root-ish'], member_entity_ids });
  const invitation = await identities.invite('bob', minute);
  await expect(identities.accept('bob', invitation)).rejects.toMatchObject({
    code: 'CONFLICT',
    what: expect.stringContaining('1 groups'),
  });
  expect(liveOf('bob')).toHaveLength(1);
});

it('after tampering is worth nothing to whoever opened it, also when the agent is let go on', async () => {
  const invitation = await identities.invite('bob', minute);
  const { data } = (await vaultAnswers(invitation.token, 'sys/wrapping/unwrap', {})) as { data: { secret_id: string } };
  const role_id = one.vault.identity.roles.get('agov-t1/role/bob')?.role_id;
  const login = (await vaultAnswers(invitation.token, 'auth/agov-t1/login', { role_id, ...data })) as {
    auth: { client_token: string };
  };
  const stolen = new Secret(login.auth.client_token);
  const other = await identities.invite('bob', minute);
  const path = 'agov/data/dev/db';
  one.vault.kv.answer('POST', 'data/dev/db', false, { data: { v: 'x' } });
  expect(await one.asks(stolen, path)).toBe(200);
  await identities.suspend('bob', 'tampered');
  await identities.suspend('bob');
  expect([await one.asks(stolen, path), await identities.look('bob')]).toMatchObject([403, { standing: 'tampered' }]);
  await identities.restore('bob');
  expect(await identities.look('bob')).toMatchObject({ standing: 'active' });
  expect(await one.asks(stolen, path)).toBe(403);
  await expect(identities.accept('bob', other)).rejects.toThrow();
  await using credential = await identities.accept('bob', await identities.invite('bob', minute));
  expect(await one.asks(credential.token, path)).toBe(200);
});

it.each([9999, 900_001, 1.5, Number.NaN])('lives neither %d ms', async (ttlMs) => {
  await expect(identities.invite('bob', { ttlMs })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
});

it('is not made for whoever has no identity, and its record is swept away', async () => {
  await expect(identities.invite('nobody', minute)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const kept = (): number => [...one.vault.kv.secrets.keys()].filter((key) => key.includes('/invitations/')).length;
  await identities.invite('bob', minute);
  env.advance(1_000_000);
  await identities.invite('bob', minute);
  expect(kept()).toBe(1);
});

it('is answered without a secret when Vault is sealed', async () => {
  const invitation: Invitation = await identities.invite('bob', minute);
  one.vault.sealed = true;
  await refused(identities.accept('bob', invitation), 'SECRETS_UNAVAILABLE', 'sealed');
});
