/** From a secret id to a token, and whether the token is the agent's and has the rights of its tier and no others. */
import { AgovError, Secret } from '../../../../kernel/index.ts';
import { type Call, shaped, unavailable, type Vault } from '../../../vault-client/index.ts';
import type { VaultNames } from '../names.ts';
import { loginAnswer } from './answers.ts';
import { readEntity, standingOf } from './entities.ts';
import type { Groups } from './groups.ts';
import { tampered } from './refusals.ts';
import type { Member } from './register.ts';
import { revokeAccessor } from './tokens.ts';

export interface LoggedIn {
  readonly token: Secret;
  readonly accessor: string;
  readonly lifeMs: number;
}

export interface LoginParts {
  readonly vault: Vault;
  readonly names: VaultNames;
  readonly aligned: Groups;
}

/** @throws IDENTITY_TAMPERED, AGENT_NOT_ACTIVE, SECRETS_UNAVAILABLE; then no token is left behind */
export async function logIn(
  { vault, names, aligned }: LoginParts,
  call: Call,
  agent: string,
  member: Member,
  credentials: { readonly roleId: string; readonly secretId: Secret },
): Promise<LoggedIn> {
  const mount = names.ofTier(member.tier);
  const path = `auth/${mount}/login`;
  const { roleId, secretId } = credentials;
  const body = { role_id: roleId, secret_id: secretId.reveal() };
  // Once: the secret id is good for one login, so a second try would be refused whatever came of the first.
  const answer = await vault.send(call, { method: 'POST', path, body, hide: secretId, once: true }, 400, 403);
  if (answer.status >= 400) throw await loginRefused(vault, call, agent, names.ofAgent(agent), vault.said(answer));
  const { auth } = shaped(path, answer, loginAnswer);
  const token = new Secret(auth.client_token);
  try {
    if (auth.entity_id !== member.entity) {
      throw tampered(agent, 'entity', 'Its role leads to another identity than the one that agov made.');
    }
    const extra = auth.token_policies.filter((policy) => policy !== 'default');
    if (extra.length > 0 || auth.token_type !== 'service') {
      throw tampered(agent, 'policies', `Its role gives what agov never gave: ${extra.join(', ') || auth.token_type}.`);
    }
    // An interrupted change left too few groups, or the old one: the token follows as soon as they are right.
    if (!isExactly(auth.identity_policies, mount)) await alignedOrRefused(vault, call, aligned, agent, names, mount);
  } catch (error) {
    // If this fails too, the token ends within minutes, and nobody but this function has had it.
    await revokeAccessor(vault, call, auth.accessor).catch(() => undefined);
    throw error;
  }
  return { token, accessor: auth.accessor, lifeMs: auth.lease_duration * 1000 };
}

function isExactly(policies: readonly string[], wanted: string): boolean {
  return policies.length === 1 && policies[0] === wanted;
}

async function alignedOrRefused(
  vault: Vault,
  call: Call,
  aligned: Groups,
  agent: string,
  names: VaultNames,
  group: string,
): Promise<void> {
  await aligned.align(call);
  const entity = await readEntity(vault, call, names.ofAgent(agent));
  const own = await aligned.idOf(call, group);
  const strays = entity?.group_ids.filter((id) => id !== own) ?? [];
  if (strays.length === 0) return;
  throw new AgovError('CONFLICT', {
    what: `The identity of "${agent}" is in ${strays.length} groups in Vault that agov did not put it in.`,
    why: 'They may give it more than its tier.',
    fix: `Take it out of them: vault read identity/entity/name/${names.ofAgent(agent)}`,
  });
}

async function loginRefused(
  vault: Vault,
  call: Call,
  agent: string,
  entityName: string,
  said: string,
): Promise<AgovError> {
  const entity = await readEntity(vault, call, entityName);
  const standing = entity ? standingOf(entity) : 'revoked';
  if (standing !== 'active') return notActive(agent, standing);
  return unavailable('refused', {
    what: `Vault refused the login of "${agent}".`,
    why: said === '' ? 'It gives no reason.' : `It says: ${said}`,
    fix: `Run: agov agent enroll ${agent}`,
  });
}

export function notActive(agent: string, standing: string): AgovError {
  return new AgovError('AGENT_NOT_ACTIVE', {
    what: `The identity of "${agent}" in Vault is ${standing}.`,
    fix: 'See "agov agent show", and "agov thaw" for one that was frozen.',
  });
}
