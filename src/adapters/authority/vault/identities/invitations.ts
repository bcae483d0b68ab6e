/**
 * Secret ids in envelopes. Vault opens one once; where it came from is looked at first, since anybody can make an
 * envelope with something of their own in it (a secret id of another role, in which one acts for somebody else).
 */
import { z } from 'zod';
import { AgovError, type Env, type IdSource, Secret } from '../../../../kernel/index.ts';
import { type Answer, type Call, inParallel, shaped, type Vault } from '../../../vault-client/index.ts';
import type { Invitation } from '../../port.ts';
import { secretIdAnswer, wrappedAnswer, wrappingAnswer } from './answers.ts';
import { type Records, records } from './records.ts';
import { tampered } from './refusals.ts';

const invitationSchema = z.strictObject({ agent: z.string(), expiresAt: z.int(), used: z.boolean() });

export interface Invitations {
  make(call: Call, agent: string, rolePath: string, ttlMs: number, delivered: boolean): Promise<Invitation>;
  /** The secret id. @throws IDENTITY_TAMPERED, INVITATION_INVALID */
  open(call: Call, agent: string, rolePath: string, invitation: Invitation): Promise<Secret>;
}

export interface InvitationParts {
  readonly vault: Vault;
  readonly mount: string;
  readonly folder: string;
  readonly env: Env;
  readonly ids: IdSource;
}

export const longestInvitationMs = 900_000;
/** Hosts' clocks may differ by so much: an envelope that is gone this near its end has expired, and nobody is accused. */
const skewMs = 5000;

export function invitations({ vault, mount, folder, env, ids }: InvitationParts): Invitations {
  const delivered = records(vault, mount, folder, invitationSchema);

  const isOver = (expiresAt: number): boolean => env.now() >= expiresAt - skewMs;

  const gone = (agent: string, { expiresAt }: Invitation): AgovError =>
    isOver(expiresAt) ? expired(agent) : tampered(agent, 'opened', 'Somebody else opened its invitation.');

  const look = async (call: Call, agent: string, invitation: Invitation): Promise<string> => {
    const { token } = invitation;
    const path = 'sys/wrapping/lookup';
    const request = { method: 'POST', path, body: { token: token.reveal() }, hide: token } as const;
    const answer = await vault.send(call, request, 400);
    if (answer.status === 400) throw gone(agent, invitation);
    return shaped(path, answer, wrappingAnswer).data.creation_path;
  };

  const unwrap = async (call: Call, agent: string, invitation: Invitation): Promise<Secret> => {
    const path = 'sys/wrapping/unwrap';
    // Once: if the answer is lost on its way, a second try would look like somebody else's.
    const request = { method: 'POST', path, token: invitation.token, once: true } as const;
    const answer: Answer = await vault.send(call, request, 400);
    if (answer.status === 400) throw gone(agent, invitation);
    return new Secret(shaped(path, answer, secretIdAnswer).data.secret_id);
  };

  return {
    async make(call, agent, rolePath, ttlMs, isDelivered) {
      const from = env.now();
      const request = { method: 'POST', path: `${rolePath}/secret-id`, body: {}, wrapTtlMs: ttlMs } as const;
      const { wrap_info: made } = await vault.ask(call, request, wrappedAnswer);
      const expiresAt = from + Math.min(made.ttl * 1000, ttlMs);
      const invitation = { token: new Secret(made.token), expiresAt };
      if (!isDelivered) return invitation;
      await sweep(call, delivered, env.now() - longestInvitationMs);
      const id = ids();
      await delivered.create(call, id, { agent, expiresAt, used: false });
      return { ...invitation, id };
    },
    async open(call, agent, rolePath, invitation) {
      const { id } = invitation;
      const found = id === undefined ? undefined : await delivered.read(call, id);
      if (id !== undefined && !found) throw unknown(agent);
      if (found && found.record.agent !== agent) throw anothers(agent);
      if (found?.record.used) throw used(agent);
      if (isOver(invitation.expiresAt)) throw expired(agent);
      const from = await look(call, agent, invitation);
      if (from !== `${rolePath}/secret-id`) {
        // A secret id after all, of another agent or of an earlier tier: a mistake, not an attack.
        if (/^auth\/[^/]+\/role\/[^/]+\/secret-id$/.test(from)) throw anothers(agent);
        throw tampered(
          agent,
          'path',
          `The invitation was made at ${from.slice(0, 120)}, where no secret ids are made.`,
        );
      }
      // Taken before it is opened, so that of two who hold a copy one is told that the other was first.
      if (id !== undefined && found) {
        const taken = await delivered.update(call, id, { ...found.record, used: true }, found.revision);
        if (!taken) throw used(agent);
      }
      return unwrap(call, agent, invitation);
    },
  };
}

/** What ended before `before` is of no use to anybody, not even for telling why it is refused. */
async function sweep(call: Call, delivered: Records<z.infer<typeof invitationSchema>>, before: number): Promise<void> {
  await inParallel(await delivered.keys(call), async (key) => {
    const found = await delivered.read(call, key);
    if (found && found.record.expiresAt < before) await delivered.drop(call, key);
  });
}

type Invalid = 'used' | 'expired' | 'agent' | 'unknown';

function invalid(reason: Invalid, what: string, why: string, agent: string): AgovError {
  const fix = `Make a new one: agov agent invite ${agent} --out FILE`;
  return new AgovError('INVITATION_INVALID', { what, why, fix, details: { reason } });
}

function used(agent: string): AgovError {
  return invalid(
    'used',
    `The invitation of "${agent}" has been used.`,
    'An invitation is good for one login. If that was not you, somebody has a copy: look at the ledger.',
    agent,
  );
}

function expired(agent: string): AgovError {
  return invalid('expired', `The invitation of "${agent}" has expired.`, 'Its time is over.', agent);
}

function anothers(agent: string): AgovError {
  return invalid(
    'agent',
    `The invitation is not one for "${agent}" as it is now.`,
    'It is for another agent, or was made before this one changed its tier.',
    agent,
  );
}

function unknown(agent: string): AgovError {
  return invalid('unknown', `The invitation of "${agent}" is not on record.`, 'It is too old, or not of agov.', agent);
}
