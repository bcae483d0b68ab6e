/**
 * How an agent logs in: an AppRole in its tier's mount, tied to its entity. The role gives no policy, so that the group
 * alone decides what a token may do, and decides anew at each request. Its secret ids are good for one login, soon.
 */
import { AgovError } from '../../../../kernel/index.ts';
import { type Tier, tiers } from '../../../../schemas/index.ts';
import { type Call, shaped, type Vault } from '../../../vault-client/index.ts';
import type { VaultNames } from '../names.ts';
import { authMountsAnswer, type Entity, roleIdAnswer } from './answers.ts';
import { notSetUp } from './groups.ts';

export interface Roles {
  /** Below `auth/`. */
  pathOf(agent: string, tier: Tier): string;
  roleId(call: Call, agent: string, tier: Tier): Promise<string>;
  /** The role of this tier, tied to the entity; none of any other tier. */
  ensure(call: Call, agent: string, tier: Tier, entity: Entity): Promise<void>;
  /** Its secret ids, given and not used yet, go with it; its tokens do not. */
  drop(call: Call, agent: string, ...of: readonly Tier[]): Promise<void>;
}

export interface RoleTimes {
  /** A secret id's life once it is out of its envelope. */
  readonly secretIdMs: number;
  tokenMs(tier: Tier): number;
}

export function roles(vault: Vault, names: VaultNames, { secretIdMs, tokenMs }: RoleTimes): Roles {
  const pathOf = (agent: string, tier: Tier): string => `auth/${names.ofTier(tier)}/role/${agent}`;

  const mountAccessors = async (call: Call): Promise<ReadonlyMap<string, Tier>> => {
    const { data } = await vault.ask(call, { method: 'GET', path: 'sys/auth' }, authMountsAnswer);
    return new Map(
      tiers.map((tier) => {
        const mount = data[`${names.ofTier(tier)}/`];
        if (mount?.type !== 'approle') throw notSetUp(`the AppRole mount auth/${names.ofTier(tier)}`);
        return [mount.accessor, tier];
      }),
    );
  };

  const roleId: Roles['roleId'] = async (call, agent, tier) => {
    const path = `${pathOf(agent, tier)}/role-id`;
    const answer = await vault.send(call, { method: 'GET', path }, 404);
    if (answer.status !== 404) return shaped(path, answer, roleIdAnswer).data.role_id;
    throw new AgovError('NOT_FOUND', {
      what: `Agent "${agent}" has no role in Vault for ${tier}.`,
      fix: `Run: agov agent enroll ${agent}`,
    });
  };

  const drop: Roles['drop'] = async (call, agent, ...of) => {
    await Promise.all(of.map((tier) => vault.send(call, { method: 'DELETE', path: pathOf(agent, tier) }, 404)));
  };

  const write = async (call: Call, agent: string, tier: Tier): Promise<void> => {
    const body = {
      ...{ token_type: 'service', token_no_default_policy: true, bind_secret_id: true },
      ...{ token_ttl: seconds(tokenMs(tier)), token_max_ttl: seconds(tokenMs(tier)) },
      ...{ secret_id_num_uses: 1, secret_id_ttl: seconds(secretIdMs) },
    };
    await vault.send(call, { method: 'POST', path: pathOf(agent, tier), body });
  };

  /** One alias, for this role: any other is a way in that agov did not make, or one of an earlier tier. */
  const tie = async (call: Call, tier: Tier, entity: Entity, id: string): Promise<void> => {
    const accessors = await mountAccessors(call);
    const foreign = entity.aliases.find(({ mount_accessor }) => !accessors.has(mount_accessor));
    if (foreign) throw foreignLogin(entity, foreign.mount_accessor);
    const isRight = (alias: Entity['aliases'][number]): boolean =>
      alias.name === id && accessors.get(alias.mount_accessor) === tier;
    for (const alias of entity.aliases.filter((one) => !isRight(one))) {
      await vault.send(call, { method: 'DELETE', path: `identity/entity-alias/id/${alias.id}` });
    }
    if (entity.aliases.some(isRight)) return;
    const [mount_accessor] = [...accessors].find(([, of]) => of === tier) ?? [];
    const body = { name: id, canonical_id: entity.id, mount_accessor: mount_accessor ?? '' };
    await vault.send(call, { method: 'POST', path: 'identity/entity-alias', body });
  };

  return {
    pathOf,
    roleId,
    drop,
    async ensure(call, agent, tier, entity) {
      await write(call, agent, tier);
      await tie(call, tier, entity, await roleId(call, agent, tier));
      await drop(call, agent, ...tiers.filter((other) => other !== tier));
    },
  };
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)}s`;
}

function foreignLogin({ id }: Entity, accessor: string): AgovError {
  return new AgovError('CONFLICT', {
    what: `The entity ${id} in Vault can also log in by ${accessor}, which agov did not make.`,
    why: 'Whoever logs in there would have the agent’s rights.',
    fix: `Find out who added it, then remove that alias: vault read identity/entity/id/${id}`,
  });
}
