/** Holds what stands in Vault against what should, path by path, and makes it so. What agov does not own it never removes. */
import { AgovError, canonicalJson, type Env, type JsonObject } from '../../../../kernel/index.ts';
import type { Vault } from '../../../vault-client/index.ts';
import type { Difference, Layout, LayoutWish } from '../../port.ts';
import { leftTo } from './left.ts';
import type { LayoutPlace } from './place.ts';
import { type Standing, standing } from './state.ts';
import { type Wanted, wantedLayout } from './wanted.ts';
import { removePolicy, write } from './write.ts';

export interface VaultLayoutOptions extends LayoutPlace {
  readonly vault: Vault;
  readonly env: Env;
}

export function vaultLayout({ vault, env, ...place }: VaultLayoutOptions, wish: LayoutWish): Layout {
  const wanted = wantedLayout(place, wish);
  const { prefix } = place.names;
  /** By name what could be of a tier; all that is compiled for one is called so. */
  const tierLike = new RegExp(`^${prefix}-t\\d`);
  const compiled = new RegExp(`^${prefix}-t[0-4](?:-action)?$`);

  /** What stands by a name of ours and is not wanted. */
  const extras = async (live: Standing): Promise<Difference[]> => {
    const known = new Set(wanted.map(({ path }) => path));
    const policies = live.policies.filter((name) => tierLike.test(name) && !known.has(`sys/policies/acl/${name}`));
    const mounts = live.loginMounts.filter((name) => tierLike.test(name) && !known.has(`sys/auth/${name}`));
    const groups = wanted.filter((one) => one.kind === 'group');
    return [
      ...(await each(policies, async (name) => {
        const is = await vault.within((call) => live.policyOf(call, name));
        const left = compiled.test(name) ? undefined : leftTo.whoMade(`vault policy delete ${name}`);
        return [extra(`sys/policies/acl/${name}`, is, left)];
      })),
      ...mounts.map((name) => extra(`sys/auth/${name}`, {}, leftTo.whoMade(`vault auth disable ${name}`))),
      ...(await each(groups, async ({ name }) => {
        const parents = await vault.within((call) => live.parentsOf(call, name));
        return parents.map((id) =>
          extra(`identity/group/id/${id}`, { member_group_ids: [name] }, leftTo.parent(name, id)),
        );
      })),
    ];
  };

  return {
    async differences() {
      const live = await vault.within((call) => standing(vault, call, wanted));
      const differing = await each(wanted, async (one) => {
        const is = await vault.within((call) => live.stateOf(call, one));
        return is === undefined ? [] : difference(one, is);
      });
      return [...differing, ...(await extras(live))];
    },
    async mend({ path, is, left }) {
      if (left) throw new AgovError('CONFLICT', { what: `${path} is not agov’s to change.`, ...left });
      const one = wanted.find((item) => item.path === path);
      await vault.within(async (call) => {
        if (!one) return removePolicy({ vault, env, call }, path);
        await write({ vault, env, call }, one, is);
        // A setting that this Vault does not know is passed over in silence: only a look tells.
        const now = await (await standing(vault, call, [one])).stateOf(call, one);
        if (!now || difference(one, now).length > 0) throw unmoved(path);
      });
    },
  };
}

function difference(wanted: Wanted, is: JsonObject | null): Difference[] {
  const { path, should } = wanted;
  const signs = wanted.kind === 'transit' || wanted.kind === 'key' ? ({ signs: true } as const) : {};
  if (is === null) return [{ path, kind: 'missing', is, should, ...signs }];
  if (canonicalJson(is) === canonicalJson(should)) return [];
  const left = leftTo.aPerson(wanted, is);
  return [{ path, kind: 'differs', is, should, ...signs, ...(left ? { left } : {}) }];
}

function extra(path: string, is: JsonObject, left: Difference['left']): Difference {
  return { path, kind: 'extra', is, should: null, ...(left ? { left } : {}) };
}

/** One after the other: what is looked at is little, and a throttled server is not to be pressed. */
async function each<T>(items: readonly T[], look: (item: T) => Promise<readonly Difference[]>): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const item of items) found.push(...(await look(item)));
  return found;
}

function unmoved(path: string): AgovError {
  return new AgovError('CONFLICT', {
    what: `Vault took the change of ${path}, and it is still not what it should be.`,
    why: 'Somebody changes it at the same time, or this version of Vault does not know one of the settings.',
    fix: 'See what differs: agov tiers drift',
  });
}
