/**
 * An agent's entity, by its name, so that the governor's policy may be for `PREFIX-*` alone. Rights come to it from its
 * tier's group and from nowhere else: one with policies or logins that agov never gave is not taken over.
 */
import { AgovError } from '../../../../kernel/index.ts';
import type { Tier } from '../../../../schemas/index.ts';
import { type Call, shaped, type Vault } from '../../../vault-client/index.ts';
import type { Standing } from '../../port.ts';
import { type Entity, entityAnswer } from './answers.ts';

/** Kept as the entity's metadata, so that an operator of Vault sees what it is, and policies can name its tier. */
export interface About {
  readonly agent: string;
  readonly tier: Tier;
  readonly project: string;
}

export async function readEntity(vault: Vault, call: Call, name: string): Promise<Entity | undefined> {
  const path = `identity/entity/name/${name}`;
  const answer = await vault.send(call, { method: 'GET', path }, 404);
  return answer.status === 404 ? undefined : shaped(path, answer, entityAnswer).data;
}

/** Made where there is none. */
export async function ensureEntity(vault: Vault, call: Call, name: string, about: About): Promise<Entity> {
  const before = await readEntity(vault, call, name);
  if (before) checkOurs(before, name, about);
  const standing = before ? standingOf(before) : 'active';
  if (before && isAbout(before, about)) return before;
  const path = `identity/entity/name/${name}`;
  await vault.send(call, { method: 'POST', path, body: { metadata: metadataOf(about, standing) } });
  const made = await readEntity(vault, call, name);
  if (made) return made;
  throw new AgovError('CONFLICT', {
    what: `The entity ${name} was deleted in Vault while it was made.`,
    fix: `Try again: agov agent enroll ${about.agent}`,
  });
}

/** Vault refuses a disabled entity's tokens and logins at once. */
export async function setStanding(
  vault: Vault,
  call: Call,
  name: string,
  about: About,
  standing: Standing,
): Promise<void> {
  const body = { disabled: standing !== 'active', metadata: metadataOf(about, standing) };
  await vault.send(call, { method: 'POST', path: `identity/entity/name/${name}`, body });
}

export function standingOf({ disabled, metadata }: Entity): Standing {
  const { standing } = metadata;
  if (standing === 'revoked' || standing === 'retired') return standing;
  if (!disabled) return 'active';
  return standing === 'tampered' ? 'tampered' : 'suspended';
}

/** Nothing comes after it. */
export function hasEnded(standing: Standing | undefined): standing is 'retired' | 'revoked' {
  return standing === 'retired' || standing === 'revoked';
}

function metadataOf({ agent, tier, project }: About, standing: Standing): Record<string, string> {
  return { agent, tier, project, standing };
}

function isAbout({ metadata }: Entity, { agent, tier, project }: About): boolean {
  return metadata['agent'] === agent && metadata['tier'] === tier && metadata['project'] === project;
}

/** @throws CONFLICT */
function checkOurs(entity: Entity, name: string, { agent, project }: About): void {
  const conflict = (what: string, fix: string) => new AgovError('CONFLICT', { what, fix });
  const standing = standingOf(entity);
  if (hasEnded(standing)) {
    throw conflict(`The identity of "${agent}" was ${standing} for good.`, 'Add an agent of another name.');
  }
  const { metadata, policies } = entity;
  if (metadata['agent'] !== agent || metadata['project'] !== project) {
    throw conflict(
      `The entity ${name} in Vault belongs to another project, or to nobody that agov knows.`,
      'Give this project a prefix of its own (secrets.vault.prefix in agov.yaml), or remove the entity.',
    );
  }
  if (policies.length > 0) {
    throw conflict(
      `The entity ${name} in Vault has policies of its own: ${policies.join(', ')}.`,
      `Find out who gave them, then: vault write identity/entity/name/${name} policies=""`,
    );
  }
}
