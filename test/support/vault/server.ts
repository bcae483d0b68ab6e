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
import type { Env } from '../../../src/kernel/index.ts';
import { part, type Reply, recorded } from './recorded.ts';
import { type KvStore, kvStore } from './store.ts';
import { authReply, seconds, type Token, type Tokens, tokens } from './tokens.ts';

export interface FakeVault extends AsyncDisposable {
  readonly address: URL;
  readonly root: string;
  readonly tokens: Tokens;
  readonly kv: KvStore;
  /** Leases of its engines: id to the token that they hang on. */
  readonly leases: Map<string, { readonly token: string; until: number }>;
  readonly requests: { readonly method: string; readonly path: string; readonly headers: IncomingMessage['headers'] }[];
  /** Answers in its place: true when it did. */
  fault: ((path: string, response: ServerResponse, request: IncomingMessage) => boolean) | undefined;
  sealed: boolean;
  /** While it is down its users cannot be dropped. */
  databaseDown: boolean;
  readonly mounts: Map<string, { readonly type: string; readonly options: Readonly<Record<string, string>> | null }>;
  readonly secretIds: Set<string>;
}

export interface FakeVaultOptions {
  readonly env: Env;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly roleTtlMs?: number;
  readonly roleMaxMs?: number;
  readonly roleType?: string;
}

export const roleId = '1b2d9e24-a77c-b2f4-f675-2b935aebb926';
const engineMs = 60_000;
const bodySchema = z.looseObject({}).or(z.null());

export async function fakeVault(options: FakeVaultOptions): Promise<FakeVault> {
  const { env, tls } = options;
  const known = tokens(env);
  const root = known.make({}).text;
  const kv = kvStore(env);
  const requests: FakeVault['requests'] = [];
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
    const { status, body, headers } = reply(request, path, list, bodySchema.parse(text) ?? {});
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(status === 204 ? undefined : JSON.stringify(body));
  };

  const reply = (request: IncomingMessage, path: string, list: boolean, body: Record<string, unknown>): Reply => {
    const { method = '' } = request;
    if (path === 'sys/health') return recorded(vault.sealed ? 'health when sealed' : 'active, unsealed');
    if (vault.sealed) return recorded('read when sealed');
    if (path.endsWith('/login')) return login(vault, options, body);
    const header = request.headers['x-vault-token'];
    if (header === undefined) return recorded('no token');
    const token = known.use(String(header));
    if (!token) return recorded('invalid token');
    const own = self(vault, env, path, token, body);
    if (own) return own;
    const has = known.may(token, path);
    const wanted = { GET: list ? 'list' : 'read', POST: 'update', PUT: 'update', DELETE: 'delete' }[method] ?? '';
    if (!has.includes('root') && !has.includes(wanted)) return recorded('outside the tier: permission denied');
    const [mount = '', rest = ''] = path.split(/\/(.*)/s);
    if (vault.mounts.get(mount)?.options?.['version'] === '2') {
      // As a mount with cas_required answers.
      if (method === 'POST' && z.object({ cas: z.int() }).safeParse(body['options']).error) {
        return { status: 400, body: { errors: ['check-and-set parameter required for this call'] } };
      }
      return kv.answer(method, rest, list, body) ?? recorded('unknown route');
    }
    const mounted = mounting(vault, method, path);
    if (mounted) return mounted;
    return govern(vault, env, path, token, body) ?? recorded('unknown route');
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

/** What every token may do. */
function self(vault: FakeVault, env: Env, path: string, token: Token, body: Record<string, unknown>) {
  switch (path) {
    case 'auth/token/lookup-self': {
      const { accessor, text: id, type } = token;
      const data = { accessor, id, type, ttl: seconds(token.until - env.now()), renewable: type === 'service' };
      return recorded('lookup self', { data: part('lookup self', 'data', data) });
    }
    case 'auth/token/renew-self':
      return vault.tokens.renew(token, milliseconds(body['increment']));
    case 'auth/token/revoke-self':
      return revoked(vault, token);
    case 'sys/capabilities-self': {
      const paths = z.array(z.string()).parse(body['paths']);
      const data = Object.fromEntries(paths.map((one) => [one, vault.tokens.may(token, one)]));
      return recorded('capabilities self', { data });
    }
  }
  const mount = /^sys\/internal\/ui\/mounts\/(.+)$/.exec(path)?.[1];
  if (mount === undefined) return undefined;
  const found = vault.mounts.get(mount);
  const sees = vault.tokens.may(token, `${mount}/data/dev/x`);
  if (!found || sees.includes('deny')) return recorded('outside the tier: permission denied');
  return recorded('read', { data: { ...found, path: `${mount}/`, description: '' } });
}

function govern(vault: FakeVault, env: Env, path: string, token: Token, body: Record<string, unknown>) {
  switch (path) {
    case 'auth/token/create': {
      const ttlMs = milliseconds(body['ttl']);
      const uses = z.int().parse(body['num_uses']);
      const { text: parent, policy } = token;
      return authReply('login', vault.tokens.make({ parent, policy, ttlMs, uses, meta: body['meta'] }), env);
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
}

/** One store serves all mounts of version 2; a mount that goes takes it along. */
function mounting({ mounts, kv }: FakeVault, method: string, path: string): Reply | undefined {
  const [, name = ''] = /^sys\/mounts\/?(.*)$/.exec(path) ?? [];
  if (!path.startsWith('sys/mounts')) return undefined;
  if (method === 'GET') return recorded('read', { data: Object.fromEntries(mounts) });
  if (method === 'POST') mounts.set(name, { type: 'kv', options: { version: '2' } });
  else {
    mounts.delete(name);
    kv.secrets.clear();
  }
  return recorded('KV v2 mount');
}

function leased(vault: FakeVault, env: Env, id: string, token: Token): string {
  vault.leases.set(id, { token: token.text, until: env.now() + engineMs });
  return id;
}

/** A token goes with all below it; a lease whose engine does not answer stays, to be tried again. */
function revoked(vault: FakeVault, token: Token): Reply {
  const gone = new Set(vault.tokens.revoke(token).map(({ text }) => text));
  for (const [id, lease] of vault.leases) if (gone.has(lease.token) && !vault.databaseDown) vault.leases.delete(id);
  return recorded('revoke by accessor');
}

function milliseconds(written: unknown): number {
  return Number(/^(\d+)s$/.exec(String(written))?.[1]) * 1000;
}
