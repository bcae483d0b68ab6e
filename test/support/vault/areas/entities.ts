/** Entities by name, and their aliases. Reading one, and answers to writing by name, have the shape of Vault's source. */
import { z } from 'zod';
import type { FakeAlias, FakeEntity, Identities } from '../identity.ts';
import { type Reply, recorded } from '../recorded.ts';
import type { Area } from './area.ts';

const asked = z.looseObject({
  ...{ disabled: z.boolean().optional(), policies: z.array(z.string()).optional() },
  metadata: z.record(z.string(), z.string()).optional(),
});
const tied = z.looseObject({ name: z.string().min(1), canonical_id: z.string(), mount_accessor: z.string() });

export const entities: Area = ({ identity }, { method, list, path, body }) => {
  if (list && path === 'identity/entity/name') return listed([...identity.entities.keys()]);
  if (list && path === 'identity/entity-alias/id') return listed([...identity.aliases.keys()]);
  const name = /^identity\/entity\/name\/(.+)$/.exec(path)?.[1];
  if (name !== undefined) return entity(identity, method, name, body);
  const aliasId = /^identity\/entity-alias\/id\/(.+)$/.exec(path)?.[1];
  if (aliasId !== undefined && method === 'DELETE') {
    identity.aliases.delete(aliasId);
    return recorded('enable again');
  }
  return path === 'identity/entity-alias' && method === 'POST' ? alias(identity, body) : undefined;
};

function listed(keys: readonly string[]): Reply {
  return keys.length === 0 ? recorded('missing') : recorded('list', { data: { keys } });
}

function entity(identity: Identities, method: string, name: string, body: Readonly<Record<string, unknown>>): Reply {
  const found = identity.entities.get(name);
  if (method === 'GET') return found ? recorded('read', { data: shown(identity, found) }) : recorded('missing');
  if (method === 'DELETE') {
    identity.entities.delete(name);
    for (const [id, one] of identity.aliases) if (one.canonical_id === found?.id) identity.aliases.delete(id);
    return recorded('enable again');
  }
  const given = asked.parse(body);
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  if (found) {
    Object.assign(found, set);
    return recorded('disable the entity');
  }
  const made = makeEntity(identity, name);
  Object.assign(made, set);
  return recorded('entity', { data: { aliases: null, id: made.id, name } });
}

export function makeEntity({ entities: all, next }: Identities, name: string): FakeEntity {
  const id = `36fd173f-882e-13f9-f307-${String(next()).padStart(12, '0')}`;
  const made: FakeEntity = { id, name, disabled: false, policies: [], metadata: {} };
  all.set(name, made);
  return made;
}

function shown({ aliases, groupsOf }: Identities, found: FakeEntity): object {
  const groupIds = groupsOf(found.id).map(({ id }) => id);
  return {
    ...{ ...found, namespace_id: 'root', merged_entity_ids: null, inherited_group_ids: [] },
    ...{ direct_group_ids: groupIds, group_ids: groupIds },
    aliases: [...aliases.values()].filter(({ canonical_id }) => canonical_id === found.id),
  };
}

function alias({ aliases, byId, next }: Identities, body: Readonly<Record<string, unknown>>): Reply {
  const { name, canonical_id, mount_accessor } = tied.parse(body);
  if (!byId(canonical_id)) return { status: 400, body: { errors: ['invalid canonical ID'] } };
  const of = (one: FakeAlias): boolean => one.mount_accessor === mount_accessor;
  // One login of a mount leads to one entity, and one entity has one login of a mount.
  for (const [id, one] of aliases) if (of(one) && one.name === name) aliases.delete(id);
  if ([...aliases.values()].some((one) => of(one) && one.canonical_id === canonical_id)) {
    return { status: 400, body: { errors: ['Entity already has an alias for the provided mount accessor'] } };
  }
  const id = `7df4154c-f426-2371-d31b-${String(next()).padStart(12, '0')}`;
  aliases.set(id, { id, name, mount_accessor, canonical_id });
  return recorded('alias ties role_id to the entity', { data: { canonical_id, id } });
}
