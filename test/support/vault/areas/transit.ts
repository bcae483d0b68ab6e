/** Ed25519 keys of transit, with real signatures. What was not recorded (rotation, refusals) is as the documentation has it. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { FakeVault } from '../fake.ts';
import { part, type Reply, recorded } from '../recorded.ts';
import type { Area } from './area.ts';

interface TransitKey {
  readonly type: string;
  /** What was said when it was made, and in its configuration since. */
  readonly settings: Record<string, unknown>;
  /** The first is version 1. */
  readonly versions: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }[];
}

/** By path: `transit/ledger`. They go with the fake that they belong to. */
const keysOf = new WeakMap<FakeVault, Map<string, TransitKey>>();

export const transit: Area = (vault, { method, path, body }) => {
  const [, mount = '', what, name = '', more] = /^(.+?)\/(keys|sign)\/([^/]+)(?:\/(.+))?$/.exec(path) ?? [];
  if (vault.mounts.get(mount)?.type !== 'transit') return undefined;
  const keys = keysOf.get(vault) ?? new Map<string, TransitKey>();
  keysOf.set(vault, keys);
  const place = `${mount}/${name}`;
  const key = keys.get(place);

  if (what === 'sign') return key ? signed(key, body) : refused('signing key not found');
  if (more === 'config' && key) Object.assign(key.settings, body);
  else if (more === 'rotate' && key) key.versions.push(generateKeyPairSync('ed25519'));
  else if (more === undefined && method === 'GET')
    return key ? shown(name, key) : { status: 404, body: { errors: [] } };
  else if (more === undefined && method === 'DELETE') keys.delete(place);
  else if (more === undefined && !key) {
    const { type = 'aes256-gcm96', ...settings } = body;
    keys.set(place, { type: String(type), settings, versions: [generateKeyPairSync('ed25519')] });
  }
  return recorded('ed25519 key');
};

function signed({ versions }: TransitKey, { input, key_version }: Readonly<Record<string, unknown>>): Reply {
  const version = Number(key_version ?? versions.length);
  const pair = versions[version - 1];
  if (!pair) return refused(`cannot sign with key version ${version}`);
  const signature = sign(null, Buffer.from(String(input), 'base64'), pair.privateKey).toString('base64');
  return recorded('sign', { data: { key_version: version, signature: `vault:v${version}:${signature}` } });
}

function shown(name: string, { type, settings, versions }: TransitKey): Reply {
  const keys = versions.map(({ publicKey }, i) => {
    const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
    const info = { creation_time: '2026-11-22T10:01:26.471189928Z', name: type, public_key: raw.toString('base64') };
    return [i + 1, type === 'ed25519' ? info : 1_795_000_000];
  });
  const signs = { supports_signing: type === 'ed25519', latest_version: versions.length };
  const data = part('key (public part)', 'data', { ...settings, name, type, ...signs });
  return recorded('key (public part)', { data: { ...data, keys: Object.fromEntries(keys) } });
}

function refused(text: string): Reply {
  return { status: 400, body: { errors: [text] } };
}
