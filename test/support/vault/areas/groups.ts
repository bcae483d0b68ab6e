/** Identity groups, by name and by id. What a request leaves out stays as it is. Reading one was not recorded. */
import { z } from 'zod';
import type { FakeVault } from '../fake.ts';
import { type Reply, recorded } from '../recorded.ts';
import type { FakeGroup } from '../shapes.ts';
import type { Area } from './area.ts';

const ids = z.array(z.string());
const asked = z.looseObject({
  ...{ id: z.string().optional(), name: z.string().optional(), type: z.enum(['internal', 'external']).optional() },
  ...{ policies: ids.optional(), member_entity_ids: ids.optional(), member_group_ids: ids.optional() },
});

export const groups: Area = (vault, { method, list, path, body }) => {
  const [, by, key = ''] = /^identity\/group(?:\/(id|name)(?:\/(.+))?)?$/.exec(path) ?? [];
  if (!/^identity\/group(?:\/|$)/.test(path)) return undefined;
  if (list)
    return recorded('list', {
      data: { keys: [...vault.groups.values()].map((one) => one[by === 'id' ? 'id' : 'name']) },
    });
  const found = by === 'id' ? [...vault.groups.values()].find(({ id }) => id === key) : vault.groups.get(key);
  if (method === 'GET')
    return found ? recorded('read', { data: shown(vault, found) }) : recorded('read missing policy');
  if (method === 'DELETE') {
    if (found) vault.groups.delete(found.name);
    return recorded('promote: add to group');
  }
  if (by === 'id' && !found) return { status: 400, body: { errors: ['group not found'] } };
  return put(vault, found, by === 'name' ? { ...body, name: key } : body);
};

function put(vault: FakeVault, found: FakeGroup | undefined, body: Readonly<Record<string, unknown>>): Reply {
  const { name = found?.name ?? '', ...given } = asked.parse(body);
  const before = found ?? vault.groups.get(name);
  if (before && given.type !== undefined && given.type !== before.type) {
    return { status: 400, body: { errors: ['group type cannot be changed'] } };
  }
  const empty = { type: 'internal', policies: [], member_entity_ids: [], member_group_ids: [] };
  const id = before?.id ?? `26ff2646-6903-c509-728d-${String(vault.groups.size + 1).padStart(12, '0')}`;
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  vault.groups.set(name, { ...empty, ...before, ...set, id, name });
  return before ? recorded('promote: add to group') : recorded('group', { data: { id, name } });
}

function shown(vault: FakeVault, group: FakeGroup): object {
  const above = [...vault.groups.values()].filter((one) => one.member_group_ids.includes(group.id));
  // As Vault writes an empty list.
  const listed = (of: readonly string[]) => (of.length === 0 ? null : of);
  return {
    ...group,
    ...{ alias: {}, metadata: null, modify_index: 1, namespace_id: 'root' },
    ...{ policies: listed(group.policies), member_group_ids: listed(group.member_group_ids) },
    parent_group_ids: listed(above.map(({ id }) => id)),
  };
}
