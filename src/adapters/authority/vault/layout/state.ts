/** What stands in Vault in the place of each wanted thing, in the members by which the two are compared. */
import { z } from 'zod';
import type { JsonObject } from '../../../../kernel/index.ts';
import { type Call, keysAnswer, shaped, type Vault } from '../../../vault-client/index.ts';
import { policyMeaning } from './policy/meaning.ts';
import type { Wanted } from './wanted.ts';

const text = z.string();
const mountsAnswer = z.object({
  data: z.record(
    text,
    z.object({
      type: text,
      options: z.record(text, text).nullish(),
      config: z.object({
        default_lease_ttl: z.number(),
        max_lease_ttl: z.number(),
        token_type: text.optional(),
      }),
    }),
  ),
});
const devicesAnswer = z.object({
  data: z.record(text, z.object({ type: text, options: z.record(text, text).nullish() })),
});
const kvConfigAnswer = z.object({ data: z.object({ cas_required: z.boolean() }) });
const flag = z.boolean();
const keyAnswer = z.object({
  data: z.object({
    ...{ type: text, derived: flag, exportable: flag, allow_plaintext_backup: flag, deletion_allowed: flag },
  }),
});
const policyAnswer = z.object({ data: z.object({ policy: text }) });
const ids = z.array(text).nullish();
const groupAnswer = z.object({
  data: z.object({ type: text, policies: ids, member_group_ids: ids, parent_group_ids: ids }),
});

export interface Standing {
  /** Members of what stands there; null for nothing. Undefined where it cannot be looked for. */
  stateOf(call: Call, wanted: Wanted): Promise<JsonObject | null | undefined>;
  /** Groups that `name` is in, by id: what they give goes to its members. */
  parentsOf(call: Call, name: string): Promise<readonly string[]>;
  /** Without the slash at the end. */
  readonly loginMounts: readonly string[];
  readonly policies: readonly string[];
  policyOf(call: Call, name: string): Promise<JsonObject>;
}

/** Takes the lists, of which most things are a line, once. Those of audit devices need `sudo`: only where one is wanted. */
export async function standing(vault: Vault, call: Call, wanted: readonly Wanted[]): Promise<Standing> {
  const get = (path: string) => ({ method: 'GET', path }) as const;
  const mounts = (await vault.ask(call, get('sys/mounts'), mountsAnswer)).data;
  const logins = (await vault.ask(call, get('sys/auth'), mountsAnswer)).data;
  const audited = wanted.some(({ kind }) => kind === 'audit');
  const devices = audited ? (await vault.ask(call, get('sys/audit'), devicesAnswer)).data : {};
  const policies = await vault.ask(call, { method: 'LIST', path: 'sys/policies/acl' }, keysAnswer);

  const found = async <T>(at: Call, path: string, shape: z.ZodType<T>): Promise<T | undefined> => {
    const answer = await vault.send(at, get(path), 404);
    return answer.status === 404 ? undefined : shaped(path, answer, shape);
  };
  const policyOf = async (at: Call, name: string): Promise<JsonObject | null> => {
    const policy = await found(at, `sys/policies/acl/${name}`, policyAnswer);
    return policy ? policyMeaning(policy.data.policy) : null;
  };

  return {
    loginMounts: Object.keys(logins).map((path) => path.replace(/\/$/, '')),
    policies: policies.data.keys,
    policyOf: async (at, name) => (await policyOf(at, name)) ?? {},
    async parentsOf(at, name) {
      return (await found(at, `identity/group/name/${name}`, groupAnswer))?.data.parent_group_ids ?? [];
    },
    async stateOf(at, one) {
      switch (one.kind) {
        case 'audit': {
          const logged = Object.values(devices).find(({ options }) => options?.['file_path'] === one.file);
          // A device that logs to this file serves, whatever its name is.
          const device = logged ?? devices[`${one.device}/`];
          return device ? { type: device.type, file_path: device.options?.['file_path'] ?? '' } : null;
        }
        case 'kv': {
          const mount = mounts[`${one.mount}/`];
          if (!mount) return null;
          const version = mount.options?.['version'] ?? '1';
          if (mount.type !== 'kv' || version !== '2') return { type: mount.type, version };
          const config = await vault.ask(at, get(`${one.mount}/config`), kvConfigAnswer);
          return { type: mount.type, version, cas_required: config.data.cas_required };
        }
        case 'transit': {
          const mount = mounts[`${one.mount}/`];
          return mount ? { type: mount.type } : null;
        }
        case 'key': {
          const type = mounts[`${one.mount}/`]?.type;
          if (type === undefined) return null;
          return type === 'transit' ? ((await found(at, one.path, keyAnswer))?.data ?? null) : undefined;
        }
        case 'policy':
          return policyOf(at, one.name);
        case 'login': {
          const mount = logins[`${one.mount}/`];
          if (!mount) return null;
          const { default_lease_ttl, max_lease_ttl, token_type = '' } = mount.config;
          return { type: mount.type, default_lease_ttl, max_lease_ttl, token_type };
        }
        case 'group': {
          const group = await found(at, one.path, groupAnswer);
          if (!group) return null;
          const { type, policies: given, member_group_ids: groups } = group.data;
          return { type, policies: [...(given ?? [])].sort(), member_group_ids: [...(groups ?? [])].sort() };
        }
      }
    },
  };
}
