/**
 * Agents in HashiCorp Vault: an entity for each, in the group of its tier, with a role to log in by. Every step can be
 * repeated, so that what was interrupted is finished by the next call; what takes rights away comes first.
 */
import { AgovError, type Env, type IdSource } from '../../../../kernel/index.ts';
import type { Tier } from '../../../../schemas/index.ts';
import { type Call, inParallel, type Vault } from '../../../vault-client/index.ts';
import type { Credential, Ended, Identities, Retired } from '../../port.ts';
import type { VaultNames } from '../names.ts';
import { ensureEntity, hasEnded, readEntity, setStanding, standingOf } from './entities.ts';
import { type Groups, groups } from './groups.ts';
import { type Invitations, invitations, longestInvitationMs } from './invitations.ts';
import { logIn, notActive } from './login.ts';
import { type Member, type Register, register } from './register.ts';
import { type Roles, roles } from './roles.ts';
import { type Tokens, tokens } from './tokens.ts';

export interface VaultIdentitiesOptions {
  readonly vault: Vault;
  readonly names: VaultNames;
  /** The KV version 2 mount that the records lie in. */
  readonly mount: string;
  /** Which project this is: an identity of another one is not taken over. */
  readonly project: string;
  /** The life of a tier's tokens. */
  tokenMs(tier: Tier): number;
  readonly env: Env;
  readonly ids: IdSource;
}

/** Below the mount; no secret's path holds a tilde. */
const folder = '~identities';
/** A secret id must outlive its envelope. */
const secretIdMs = longestInvitationMs + 60_000;

export function openVaultIdentities(options: VaultIdentitiesOptions): Identities {
  const { vault, names, mount, project, env, ids } = options;
  const below = (name: string): string => `${folder}/${names.prefix}/${name}`;
  const known = register(vault, mount, below('register'));
  return identities({
    ...{ vault, names, project, known },
    grouped: groups(vault, names, known),
    roles: roles(vault, names, { secretIdMs, tokenMs: (tier) => options.tokenMs(tier) }),
    invited: invitations({ vault, mount, folder: below('invitations'), env, ids }),
    live: tokens(vault, mount, below('tokens'), env),
  });
}

interface Parts {
  readonly vault: Vault;
  readonly names: VaultNames;
  readonly project: string;
  readonly known: Register;
  readonly grouped: Groups;
  readonly roles: Roles;
  readonly invited: Invitations;
  readonly live: Tokens;
}

function identities(parts: Parts): Identities {
  const { vault, names, project, known, grouped, roles, invited, live } = parts;

  const enroll = async (call: Call, agent: string, tier: Tier): Promise<void> => {
    const before = await known.get(call, agent);
    if (before && before.project !== project) throw anotherProjects(agent);
    const entity = await ensureEntity(vault, call, names.ofAgent(agent), { agent, tier, project });
    const moved = before?.moved === true || (before !== undefined && before.tier !== tier);
    await known.put(call, agent, { entity: entity.id, tier, project, moved });
    // Rights before the way in: whoever loses some loses them now, and nobody logs in to what is not bounded yet.
    await grouped.align(call);
    await roles.ensure(call, agent, tier, entity);
  };

  /** Undefined where there is none, or one of another project, which is not ours to end. */
  const own = async (call: Call, agent: string): Promise<Member | undefined> => {
    const member = await known.get(call, agent);
    return member?.project === project ? member : undefined;
  };

  const present = async (call: Call, agent: string): Promise<Member> => {
    const member = await known.get(call, agent);
    if (member && member.entity !== '') return member;
    throw new AgovError('NOT_FOUND', {
      what: `Agent "${agent}" has no identity in Vault.`,
      fix: `Run: agov agent enroll ${agent}`,
    });
  };

  const standing = async (call: Call, agent: string) => {
    const entity = await readEntity(vault, call, names.ofAgent(agent));
    return entity && standingOf(entity);
  };

  const about = (agent: string, { tier, project: of }: Member) => ({ agent, tier, project: of });

  /** All of it is tried, whatever fails; the first failure is told. */
  const endAccess = async (call: Call, agent: string, { tier }: Member): Promise<number> => {
    const [dropped, ended] = await Promise.allSettled([
      roles.drop(call, agent, tier),
      live.endAll(call, agent),
    ] as const);
    if (ended.status === 'rejected') throw ended.reason;
    if (dropped.status === 'rejected') throw dropped.reason;
    return ended.value;
  };

  /** A new entity under the old name: every token of the old one is refused for ever, also those that nobody knows of. */
  const renew = async (call: Call, agent: string, member: Member): Promise<void> => {
    await known.put(call, agent, { ...member, entity: '' });
    await vault.send(call, { method: 'DELETE', path: `identity/entity/name/${names.ofAgent(agent)}` }, 404);
    await enroll(call, agent, member.tier);
  };

  return {
    enroll: (agent, tier) => vault.within((call) => enroll(call, agent, tier)),
    look: (agent) =>
      vault.within(async (call) => {
        const member = await known.get(call, agent);
        const now = member && (await standing(call, agent));
        return member && now ? { agent, tier: member.tier, standing: now } : undefined;
      }),
    suspend: (agent, cause) =>
      vault.within(async (call) => {
        const member = await own(call, agent);
        const now = member && (await standing(call, agent));
        if (!member || now === undefined) return false;
        if (now === 'active' || (now === 'suspended' && cause === 'tampered')) {
          await setStanding(vault, call, names.ofAgent(agent), about(agent, member), cause ?? 'suspended');
        }
        if (cause === 'tampered') await endAccess(call, agent, member);
        return true;
      }),
    restore: (agent) =>
      vault.within(async (call) => {
        const member = await own(call, agent);
        if (!member) return false;
        const now = await standing(call, agent);
        if (hasEnded(now)) throw notActive(agent, now);
        if (now === 'tampered' || now === undefined) await renew(call, agent, member);
        if (now === 'suspended') await setStanding(vault, call, names.ofAgent(agent), about(agent, member), 'active');
        return true;
      }),
    retire: (agent) =>
      vault.within(async (call): Promise<Retired> => {
        const member = await own(call, agent);
        if (!member) return { known: false, live: 0 };
        // The way in first, so that no token comes after the count.
        await roles.drop(call, agent, member.tier);
        const living = await live.living(call, agent);
        if (living === 0 && !hasEnded(await standing(call, agent))) {
          await setStanding(vault, call, names.ofAgent(agent), about(agent, member), 'retired');
        }
        return { known: true, live: living };
      }),
    revoke: (agent) =>
      vault.within(async (call): Promise<Ended> => {
        const member = await own(call, agent);
        if (!member) return { known: false, tokens: 0 };
        const [marked] = await Promise.allSettled([
          setStanding(vault, call, names.ofAgent(agent), about(agent, member), 'revoked'),
        ]);
        const ended = await endAccess(call, agent, member);
        if (marked.status === 'rejected') throw marked.reason;
        return { known: true, tokens: ended };
      }),
    revokeTier: (tier) =>
      vault.within(async (call): Promise<Ended> => {
        const path = `sys/leases/revoke-prefix/auth/${names.ofTier(tier)}`;
        await vault.send(call, { method: 'PUT', path, body: { sync: true } });
        const { agents } = await known.read(call);
        const here = [...agents].filter(([, member]) => member.tier === tier);
        // A token is of the mount that it was got from, and stays so when its agent moves.
        const moved = here.filter(([, member]) => member.moved);
        const ended = await inParallel(moved, ([agent]) => live.endAll(call, agent));
        return { known: here.length > 0, tokens: ended.reduce((sum, one) => sum + one, 0) };
      }),
    invite: (agent, { ttlMs, delivered = false }) =>
      vault.within(async (call) => {
        checkInvitationTime(ttlMs);
        const { tier } = await present(call, agent);
        const now = await standing(call, agent);
        if (now !== 'active') throw notActive(agent, now ?? 'gone');
        return invited.make(call, agent, roles.pathOf(agent, tier), ttlMs, delivered);
      }),
    accept: (agent, invitation) =>
      vault.within(async (call): Promise<Credential> => {
        const member = await present(call, agent);
        const secretId = await invited.open(call, agent, roles.pathOf(agent, member.tier), invitation);
        const roleId = await roles.roleId(call, agent, member.tier);
        const got = await logIn({ vault, names, aligned: grouped }, call, agent, member, { roleId, secretId });
        await live.keep(call, agent, got.accessor, got.lifeMs).catch(async (error: unknown) => {
          // What no revocation would find must not be used.
          await live.end(call, agent, got.accessor);
          throw error;
        });
        return {
          ...got,
          [Symbol.asyncDispose]: () => vault.within((ending) => live.end(ending, agent, got.accessor)),
        };
      }),
  };
}

function checkInvitationTime(ttlMs: number): void {
  if (Number.isSafeInteger(ttlMs) && ttlMs >= 10_000 && ttlMs <= longestInvitationMs) return;
  throw new AgovError('INPUT_INVALID', {
    what: 'An invitation lives from 10s to 15m.',
    why: 'Too short a time cannot be told from somebody else’s opening it; a long one waits for a thief.',
    fix: 'Write a time in between, such as 5m.',
  });
}

function anotherProjects(agent: string): AgovError {
  return new AgovError('CONFLICT', {
    what: `The identity of "${agent}" in Vault belongs to another project.`,
    fix: 'Give this project a prefix of its own: secrets.vault.prefix in agov.yaml.',
  });
}
