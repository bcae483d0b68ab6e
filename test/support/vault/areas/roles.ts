/** AppRole: roles, their secret ids, logins by them, and the end of all tokens of one mount. */
import type { Env } from '../../../../src/kernel/index.ts';
import type { FakeVault } from '../fake.ts';
import type { FakeRole } from '../identity.ts';
import { part, type Reply, recorded } from '../recorded.ts';
import { seconds } from '../tokens.ts';
import { type Area, milliseconds } from './area.ts';
import { makeEntity } from './entities.ts';
import { revoked } from './leases.ts';

export const roles: Area = (vault, { env, method, path, body }) => {
  const prefix = /^sys\/leases\/revoke-prefix\/(auth\/.+)$/.exec(path)?.[1];
  if (prefix !== undefined) {
    for (const token of [...vault.tokens.live.values()]) if (token.from === prefix) revoked(vault, token);
    return recorded('tier kill switch');
  }
  const [, mount = '', name = '', what] = /^auth\/([^/]+)\/role\/([^/]+)(?:\/([a-z-]+))?$/.exec(path) ?? [];
  if (name === '' || !vault.logins.has(mount)) return undefined;
  const { roles: all, next } = vault.identity;
  const key = `${mount}/role/${name}`;
  const found = all.get(key);
  if (what === undefined && method === 'POST') {
    const role_id = `00000000-a77c-b2f4-f675-${String(next()).padStart(12, '0')}`;
    all.set(key, { role_id, secretIds: new Map(), ...found, settings: { ...found?.settings, ...body } });
    return recorded('role');
  }
  if (what === undefined && method === 'DELETE') {
    all.delete(key);
    return recorded('role');
  }
  if (!found) return recorded('missing');
  if (what === 'role-id') return recorded('role id', { data: { role_id: found.role_id } });
  if (what !== 'secret-id') return undefined;
  const secret_id = `fake-secret-id-${next()}-${'x'.repeat(16)}`;
  const ttlMs = milliseconds(found.settings['secret_id_ttl']);
  found.secretIds.set(secret_id, env.now() + ttlMs);
  const data = { secret_id, secret_id_accessor: `fake-secret-accessor-${next()}`, secret_id_ttl: ttlMs / 1000 };
  return recorded('another secret id', { data });
};

/** Undefined where no role is in that mount: the fake's one fixed role is asked then. */
export function roleLogin(
  vault: FakeVault,
  env: Env,
  path: string,
  body: Readonly<Record<string, unknown>>,
): Reply | undefined {
  const { identity, logins } = vault;
  const mount = /^auth\/(.+)\/login$/.exec(path)?.[1] ?? '';
  const [key, role] = [...identity.roles].find(
    ([at, one]) => at.startsWith(`${mount}/role/`) && one.role_id === body['role_id'],
  ) ?? [''];
  if (!role) return logins.has(mount) ? recorded('wrong role id') : undefined;
  const secretId = String(body['secret_id']);
  const until = role.secretIds.get(secretId) ?? 0;
  role.secretIds.delete(secretId);
  if (until <= env.now()) return recorded('secret id is single use');
  return loggedIn(vault, env, { mount, name: key.slice(`${mount}/role/`.length), role });
}

interface Login {
  readonly mount: string;
  readonly name: string;
  readonly role: FakeRole;
}

function loggedIn({ identity, logins, tokens }: FakeVault, env: Env, { mount, name, role }: Login): Reply {
  const accessor = logins.get(mount)?.accessor;
  const tied = [...identity.aliases.values()].find(
    (alias) => alias.name === role.role_id && alias.mount_accessor === accessor,
  );
  // As Vault does for a login that nobody prepared.
  const entity = (tied && identity.byId(tied.canonical_id)) ?? makeEntity(identity, `entity_${role.role_id}`);
  if (entity.disabled) return recorded('its live token is refused');
  const policies = role.settings['token_policies'];
  const own = Array.isArray(policies) ? policies.map(String) : [];
  const given = role.settings['token_no_default_policy'] === true ? own : [...own, 'default'];
  const ttlMs = milliseconds(role.settings['token_ttl']);
  const made = tokens.make({
    ...{ policy: given[0] ?? '', entity: entity.id, from: `auth/${mount}` },
    ...{ ttlMs, maxUntil: env.now() + milliseconds(role.settings['token_max_ttl']) },
  });
  const ofGroups = identity.policiesOf(entity.id);
  const auth = part('login', 'auth', {
    ...{ client_token: made.text, accessor: made.accessor, entity_id: entity.id, metadata: { role_name: name } },
    ...{ policies: [...given, ...ofGroups], token_policies: given, identity_policies: ofGroups },
    lease_duration: seconds(ttlMs),
  });
  return recorded('login', { auth });
}
