/**
 * Engines and login methods: made, tuned, listed, taken away. One store serves all of KV version 2; a mount that goes takes
 * it along. Lists of engines and of what is tuned were not recorded: they have the shape that the API's documentation gives.
 */
import { z } from 'zod';
import { part, type Reply, recorded } from '../recorded.ts';
import type { MountConfig } from '../shapes.ts';
import { type Area, type Asked, needsSudo, written } from './area.ts';

const untuned: MountConfig = { default_lease_ttl: 0, force_no_cache: false, max_lease_ttl: 0 };
const asked = z.looseObject({
  type: z.string(),
  options: z.record(z.string(), z.string()).nullable().default(null),
  config: z.record(z.string(), z.unknown()).default({}),
});

export const mounting: Area = (vault, request) => {
  const { method, path, body } = request;
  const tuned = /^sys\/mounts\/auth\/(.+)\/tune$/.exec(path)?.[1];
  if (tuned !== undefined) {
    const login = vault.logins.get(tuned);
    if (!login || method !== 'POST') return missing;
    vault.logins.set(tuned, { ...login, config: { ...login.config, ...inSeconds(body) } });
    return recorded('KV v2 mount');
  }
  const [, area, name = ''] = /^sys\/(mounts|auth)(?:\/(.+))?$/.exec(path) ?? [];
  if (area === 'mounts') return engines(vault, request, name);
  return area === 'auth' ? logins(vault, request, name) : undefined;
};

const missing: Reply = recorded('unknown route');

const engines = (vault: Parameters<Area>[0], { method, body }: Asked, name: string): Reply => {
  const { mounts, kv } = vault;
  if (method === 'GET') {
    const listed = [...mounts].map(([path, { config = untuned, ...mount }]) => [`${path}/`, { ...mount, config }]);
    return recorded('read', { data: Object.fromEntries(listed) });
  }
  if (method === 'POST') {
    if (mounts.has(name)) return inUse(name);
    const { type, options } = asked.parse(body);
    mounts.set(name, { type, options });
    vault.casRequired.delete(name);
  } else {
    mounts.delete(name);
    kv.secrets.clear();
  }
  return recorded('KV v2 mount');
};

const logins = (vault: Parameters<Area>[0], request: Asked, name: string): Reply => {
  const { method, body } = request;
  if (method === 'GET') {
    const listed = [...vault.logins].map(([path, login]) => [`${path}/`, { ...login, description: '', options: {} }]);
    const found = part('list auth mounts', 'data', {});
    const token = Object.entries(found).filter(([path]) => path === 'token/');
    return recorded('list auth mounts', { data: Object.fromEntries([...token, ...listed]) });
  }
  if (needsSudo(vault, request)) return recorded('outside the tier: permission denied');
  if (method === 'POST') {
    if (vault.logins.has(name)) return { ...recorded('mount already there'), ...inUse(name) };
    const { type, config } = asked.parse(body);
    const set = { ...untuned, token_type: 'default-service', ...inSeconds(config) };
    vault.logins.set(name, { type, accessor: `auth_${type}_fake${vault.logins.size + 1}`, config: set });
  } else vault.logins.delete(name);
  return recorded('one AppRole mount per tier: t0');
};

function inUse(name: string): Reply {
  return { status: 400, body: { errors: [`path is already in use at ${name}/`] } };
}

function inSeconds(config: MountConfig): MountConfig {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key, key.endsWith('_ttl') ? written(value) : value]),
  );
}
