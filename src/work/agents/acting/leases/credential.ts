/**
 * The identity in which an agent's secrets are leased, where agents have one outside of agov: got for one command, kept
 * in memory, ended with the command. Somebody else's hand in it freezes the agent, and nothing is leased.
 */
import type { Credential, Identities, Invitation } from '../../../../adapters/authority/port.ts';
import type { Channel, Governor } from '../../../../governance/governor/index.ts';
import type { Ledger } from '../../../../governance/ledger/index.ts';
import { AgovError, isAgovError, sha256Hex } from '../../../../kernel/index.ts';
import type { Tier } from '../../../../schemas/index.ts';
import { afterCredential } from './retirement.ts';
import { isTampered, tamperedWith } from './tampering.ts';

export interface CredentialParts {
  /** Undefined where agents have no identity but their name in the ledger. They remember tampering. */
  identities(): Promise<Identities | undefined>;
  readonly ledger: Ledger;
  readonly governor: Governor;
  /** Stops what runs in the agent's name, and lets nothing new begin. */
  freeze(agent: string, reason: string): Promise<unknown>;
}

export interface CredentialWish {
  readonly channel: Channel;
  readonly tier: Tier;
  /** The intent that it serves. */
  readonly intent: string;
  /** Used instead of one made here. */
  readonly invitation?: Invitation | undefined;
}

export type Acquire = (wish: CredentialWish) => Promise<Credential | undefined>;

/** In this process's own hands an envelope is opened at once. */
const ownInvitationMs = 60_000;

export function createAcquire(parts: CredentialParts): Acquire {
  return async (wish) => {
    const identities = await parts.identities();
    if (!identities) {
      if (wish.invitation) throw nobodyInvites();
      return undefined;
    }
    const { agent } = wish.channel;
    await bringInLine(parts, identities, wish);
    const invitation = wish.invitation ?? (await identities.invite(agent, { ttlMs: ownInvitationMs }));
    const credential = await identities.accept(agent, invitation).catch(async (error: unknown) => {
      if (isAgovError(error, 'IDENTITY_TAMPERED')) await contain(parts, identities, wish, error);
      throw error;
    });
    try {
      await recordLogin(parts, wish, credential);
      return {
        ...credential,
        async [Symbol.asyncDispose]() {
          await credential[Symbol.asyncDispose]();
          // Its token has ended, which is what was asked for; whatever is left of a retirement stays on record as such.
          await afterCredential({ ledger: parts.ledger, identities }, agent).catch(() => undefined);
        },
      };
    } catch (error) {
      await credential[Symbol.asyncDispose]();
      throw error;
    }
  };
}

/** The ledger is the truth: a change that was cut short between it and the authority is finished before anything is leased. */
async function bringInLine(
  { ledger }: CredentialParts,
  identities: Identities,
  { channel, tier, intent }: CredentialWish,
): Promise<void> {
  const { agent, run } = channel;
  // Thawed while the authority was away: who tampered with it may hold a token still.
  if (isTampered(ledger, agent)) await identities.restore(agent);
  const found = await identities.look(agent);
  if (found?.tier === tier) return;
  await identities.enroll(agent, tier);
  await ledger.append({ kind: 'authority', agent, tier, run, parent: intent, body: { step: 'enrolled' } });
}

async function recordLogin(
  { ledger }: CredentialParts,
  { channel, tier, intent, invitation }: CredentialWish,
  { accessor, lifeMs }: Credential,
): Promise<void> {
  const by = invitation ? 'delivered invitation' : 'own invitation';
  const body = { step: 'login', by, accessor: sha256Hex(accessor), lifeMs };
  await ledger.append({ kind: 'authority', agent: channel.agent, tier, run: channel.run, parent: intent, body });
}

/** The record comes first. Each of the rest is tried, whatever becomes of the others: one of them alone stops the agent. */
async function contain(
  { governor, freeze }: CredentialParts,
  identities: Identities,
  { channel, intent }: CredentialWish,
  error: AgovError,
): Promise<void> {
  const reason = `Its identity was tampered with (${String(error.details?.['reason'])}).`;
  const details = { code: error.code, reason: String(error.details?.['reason']), why: error.why ?? '' };
  const recorded = await settled(governor.violation(channel, tamperedWith, details, intent));
  const tried = await Promise.all([
    settled(identities.suspend(channel.agent, 'tampered')),
    settled(freeze(channel.agent, reason)),
  ]);
  const failed = [recorded, ...tried].filter((failure) => failure !== undefined);
  if (failed.length === 0) return;
  throw new AgovError(error.code, {
    what: error.what,
    why: `${error.why ?? ''} And not all could be done about it: ${failed.join(' ')}`,
    fix: `Now: agov kill ${channel.agent} --reason "tampering"`,
    cause: error,
    ...(error.details ? { details: error.details } : {}),
  });
}

/** Undefined when it went well; else what did not. */
function settled(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(
    () => undefined,
    (error: unknown) => (isAgovError(error) ? error.what : 'It failed for an unknown reason.'),
  );
}

function nobodyInvites(): AgovError {
  return new AgovError('USAGE', {
    what: 'An invitation was given, and this project has nothing to be invited to.',
    why: 'Agents have an identity of their own only with Vault.',
    fix: 'Leave it out, or configure secrets.vault in agov.yaml.',
  });
}
