/** Tokens below another, the engines whose credentials end, and their leases. */
import { z } from 'zod';
import type { Env } from '../../../../src/kernel/index.ts';
import type { FakeVault } from '../fake.ts';
import { type Reply, recorded } from '../recorded.ts';
import { authReply, type Token } from '../tokens.ts';
import { type Area, milliseconds } from './area.ts';

const engineMs = 60_000;

export const leases: Area = (vault, { env, path, token, body }) => {
  switch (path) {
    case 'auth/token/create': {
      const ttlMs = milliseconds(body['ttl']);
      const uses = z.int().default(0).parse(body['num_uses']);
      const [policy = token.policy] = z.array(z.string()).default([]).parse(body['policies']);
      const { text: parent, entity } = token;
      return authReply('login', vault.tokens.make({ parent, policy, entity, ttlMs, uses, meta: body['meta'] }), env);
    }
    case 'auth/token/accessors/':
      return recorded('list', { data: { keys: [...vault.tokens.live.values()].map(({ accessor }) => accessor) } });
    case 'auth/token/renew-accessor': {
      const found = vault.tokens.byAccessor(body['accessor']);
      return found ? vault.tokens.renew(found, milliseconds(body['increment'])) : recorded('revoke accessor again');
    }
    case 'auth/token/revoke-accessor': {
      const found = vault.tokens.byAccessor(body['accessor']);
      return found ? revoked(vault, found) : recorded('revoke accessor again');
    }
    case 'database/creds/app': {
      const lease_id = leased(vault, env, `database/creds/app/${token.accessor}`, token);
      const data = { username: `v-token-app-${token.accessor}`, password: `made-${token.accessor}` };
      return recorded('issue: returns lease_id', { lease_id, renewable: true, lease_duration: engineMs / 1000, data });
    }
    case 'pki/issue/agent':
      return recorded('issue: returns lease_id', {
        lease_id: leased(vault, env, `pki/issue/agent/${token.accessor}`, token),
      });
    case 'pki/issue/unleased':
      return recorded('issue: returns lease_id', { lease_id: '' });
    case 'sys/leases/renew': {
      const lease = vault.leases.get(String(body['lease_id']));
      if (!lease) return recorded('lookup after revoke');
      if (String(body['lease_id']).startsWith('pki/')) return recorded('lease renew refused for pki');
      const lease_duration = Math.min(Number(body['increment']), engineMs / 1000);
      lease.until = env.now() + lease_duration * 1000;
      return { status: 200, body: { lease_id: body['lease_id'], renewable: true, lease_duration } };
    }
    case 'sys/leases/revoke': {
      // The words of Vault's database engine over a refused connection, shortened.
      const errors = ['failed to revoke entry: dial tcp 127.0.0.1:5432: connect: connection refused'];
      if (vault.databaseDown) return { status: 400, body: { errors } };
      vault.leases.delete(String(body['lease_id']));
      return recorded('lease revoke, sync');
    }
  }
  return undefined;
};

function leased(vault: FakeVault, env: Env, id: string, token: Token): string {
  vault.leases.set(id, { token: token.text, until: env.now() + engineMs });
  return id;
}

/** A token goes with all below it; a lease whose engine does not answer stays, to be tried again. */
export function revoked(vault: FakeVault, token: Token): Reply {
  const gone = new Set(vault.tokens.revoke(token).map(({ text }) => text));
  for (const [id, lease] of vault.leases) if (gone.has(lease.token) && !vault.databaseDown) vault.leases.delete(id);
  return recorded('revoke by accessor');
}
