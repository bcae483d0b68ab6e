/** Mounts. One store serves all of version 2; a mount that goes takes it along. */
import { recorded } from '../recorded.ts';
import type { Area } from './area.ts';

export const mounting: Area = ({ mounts, kv }, { method, path }) => {
  const [, name = ''] = /^sys\/mounts\/?(.*)$/.exec(path) ?? [];
  if (!path.startsWith('sys/mounts')) return undefined;
  if (method === 'GET') return recorded('read', { data: Object.fromEntries(mounts) });
  if (method === 'POST') mounts.set(name, { type: 'kv', options: { version: '2' } });
  else {
    mounts.delete(name);
    kv.secrets.clear();
  }
  return recorded('KV v2 mount');
};
