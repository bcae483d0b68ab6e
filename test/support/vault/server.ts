/**
 * A Vault on a real socket that answers from recorded exchanges, with as much state behind them as leases and versions
 * need. What was not recorded (making a token, metadata, mounts) has the shape that the API's documentation gives.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import type { Area } from './areas/area.ts';
import { audit } from './areas/audit.ts';
import { entities } from './areas/entities.ts';
import { groups } from './areas/groups.ts';
import { leases } from './areas/leases.ts';
import { mounting } from './areas/mounting.ts';
import { policies, withinLimits } from './areas/policies.ts';
import { roleLogin, roles } from './areas/roles.ts';
import { self } from './areas/self.ts';
import { transit } from './areas/transit.ts';
import { unwrap, wrap } from './areas/wrapping.ts';
import type { FakeVault, FakeVaultOptions } from './fake.ts';
import { identities } from './identity.ts';
import { type Reply, recorded } from './recorded.ts';
import type { FakeGroup } from './shapes.ts';
import { kvStore } from './store.ts';
import { authReply, tokens } from './tokens.ts';

export const roleId = '1b2d9e24-a77c-b2f4-f675-2b935aebb926';
/** Asked in this order; whatever the token's policy allows. */
const areas: readonly Area[] = [mounting, policies, groups, entities, roles, audit, leases, transit];
const bodySchema = z.looseObject({}).or(z.null());

export async function fakeVault(options: FakeVaultOptions): Promise<FakeVault> {
  const { env, tls } = options;
  const known = tokens(env);
  const root = known.make({}).text;
  const kv = kvStore(env);
  const requests: FakeVault['requests'] = [];
  const allGroups = new Map<string, FakeGroup>();
  const identity = identities(allGroups);
  known.policiesOf = identity.policiesOf;
  const listener: RequestListener = (request, response) => void handle(request, response);
  const server: Server = tls ? createSecureServer(tls, listener) : createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on TCP

  const vault: FakeVault = {
    address: new URL(`${tls ? 'https' : 'http'}://127.0.0.1:${port}`),
    ...{ root, tokens: known, kv, requests },
    ...{ fault: undefined, sealed: false, databaseDown: false },
    leases: new Map(),
    mounts: new Map([
      ['agov', { type: 'kv', options: { version: '2' } }],
      ['old', { type: 'kv', options: { version: '1' } }],
      ['pki', { type: 'pki', options: null }],
    ]),
    casRequired: new Set(['agov']),
    ...{ logins: new Map(), policies: new Map(), groups: allGroups, devices: new Map(), identity },
    secretIds: new Set(['fake-secret-id']),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', vault.address);
    const path = url.pathname.replace('/v1/', '');
    requests.push({ method: request.method ?? '', path, headers: request.headers });
    const text = request.method === 'GET' ? null : await json(request).catch(() => null);
    if (vault.fault?.(path, response, request)) return;
    const list = url.searchParams.get('list') === 'true';
    const plain = reply(request, path, list, bodySchema.parse(text) ?? {});
    const ttl = request.headers['x-vault-wrap-ttl'];
    const { status, body, headers } =
      ttl !== undefined && plain.status === 200 ? wrap(vault, env, path, String(ttl), plain) : plain;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(status === 204 ? undefined : JSON.stringify(body));
  };

  const reply = (request: IncomingMessage, path: string, list: boolean, body: Record<string, unknown>): Reply => {
    const { method = '' } = request;
    if (path === 'sys/health') return recorded(vault.sealed ? 'health when sealed' : 'active, unsealed');
    if (vault.sealed) return recorded('read when sealed');
    if (path.endsWith('/login')) return roleLogin(vault, env, path, body) ?? login(vault, options, body);
    const header = request.headers['x-vault-token'];
    const opened = unwrap(vault, env, path, String(body['token'] ?? header));
    if (opened) return opened;
    if (header === undefined) return recorded('no token');
    const token = known.use(String(header));
    if (!token) return recorded('invalid token');
    if (token.entity !== undefined && identity.byId(token.entity)?.disabled !== false) {
      return recorded('its live token is refused');
    }
    const asked = { env, method: request.method ?? '', list, path, token, body };
    const own = self(vault, asked);
    if (own) return own;
    const has = known.may(token, path);
    const wanted = { GET: list ? 'list' : 'read', POST: 'update', PUT: 'update', DELETE: 'delete' }[method] ?? '';
    if (!has.includes('root') && !has.includes(wanted)) return recorded('outside the tier: permission denied');
    if (!withinLimits(has, body)) return recorded('outside the tier: permission denied');
    const [mount = '', rest = ''] = path.split(/\/(.*)/s);
    if (vault.mounts.get(mount)?.options?.['version'] === '2') {
      if (rest === 'config') return kvConfig(vault, mount, method, body);
      const cas = z.object({ cas: z.int() }).safeParse(body['options']).success;
      if (method === 'POST' && vault.casRequired.has(mount) && !cas) {
        return { status: 400, body: { errors: ['check-and-set parameter required for this call'] } };
      }
      return kv.answer(method, rest, list, body) ?? recorded('unknown route');
    }
    for (const area of areas) {
      const answer = area(vault, asked);
      if (answer) return answer;
    }
    return recorded('unknown route');
  };

  return vault;
}

function login({ tokens, secretIds }: FakeVault, options: FakeVaultOptions, body: Record<string, unknown>): Reply {
  const { env, roleTtlMs = 300_000, roleMaxMs = 1_800_000, roleType = 'service' } = options;
  if (body['role_id'] !== roleId) return recorded('wrong role id');
  if (!secretIds.has(String(body['secret_id']))) return recorded('secret id is single use');
  const made = tokens.make({ ttlMs: roleTtlMs, maxUntil: env.now() + roleMaxMs, type: roleType });
  return authReply('login', made, env);
}

/** Not recorded; as the API's documentation has it. */
function kvConfig({ casRequired }: FakeVault, mount: string, method: string, body: Record<string, unknown>): Reply {
  if (method === 'GET') {
    const data = { cas_required: casRequired.has(mount), delete_version_after: '0s', max_versions: 0 };
    return recorded('read', { data });
  }
  if (body['cas_required'] === true) casRequired.add(mount);
  else casRequired.delete(mount);
  return recorded('KV v2 mount');
}
