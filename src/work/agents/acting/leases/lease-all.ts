/**
 * The secrets of one command: each an intent of its own, leased in the agent's own identity where it has one, and ended
 * with the command.
 */
import type { Credential, Invitation } from '../../../../adapters/authority/port.ts';
import type { Lease, Secrets } from '../../../../adapters/secrets/port.ts';
import type { Channel, Governor } from '../../../../governance/governor/index.ts';
import { AgovError } from '../../../../kernel/index.ts';
import type { Tier } from '../../../../schemas/index.ts';
import type { Acquire } from './credential.ts';

export interface LeaseParts {
  readonly governor: Governor;
  readonly secrets: () => Promise<Secrets>;
  /** Undefined where agents have no identity outside of agov. */
  readonly acquire?: Acquire | undefined;
  leaseMs(tier: Tier): number;
}

export interface LeaseWish {
  readonly channel: Channel;
  readonly tier: Tier;
  /** The command's intent. */
  readonly parent: string;
  /** Environment variable to secret path. */
  readonly wanted: Readonly<Record<string, string>>;
  readonly invitation?: Invitation | undefined;
}

export interface Leased extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
  /** Every text that must not show. */
  readonly values: readonly string[];
}

interface Held {
  readonly lease: Lease;
  readonly intent: string;
}

export async function leaseAll(parts: LeaseParts, wish: LeaseWish): Promise<Leased> {
  const { channel, parent, tier, invitation } = wish;
  const names = Object.entries(wish.wanted);
  if (names.length === 0) return { env: {}, values: [], [Symbol.asyncDispose]: () => Promise.resolve() };
  const store = await parts.secrets();
  const env: Record<string, string> = {};
  const held: Held[] = [];
  let credential: Credential | undefined;

  const endAll = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const one of held.splice(0)) await endLease(parts, store, channel, one, failures);
    // Last: what is below it goes with it, also what could not be ended by itself.
    try {
      await credential?.[Symbol.asyncDispose]();
    } catch (error) {
      // The first failure of all is told below.
      failures.push(error);
    }
    if (failures.length > 0) throw failures[0];
  };

  try {
    for (const [name, path] of names) {
      const intent = { action: 'secret.read', resource: path, args: { variable: name } } as const;
      const begun = await parts.governor.begin(channel, intent, { parent });
      if (begun.verdict !== 'allow') throw denied(channel.agent, path, begun.decision.reasons[0]);
      try {
        // Not before the first secret is allowed: a command that may have none needs no identity.
        credential ??= await parts.acquire?.({ channel, tier, intent: begun.id, invitation });
        const ttlMs = Math.min(parts.leaseMs(tier), credential?.lifeMs ?? Number.POSITIVE_INFINITY);
        const lease = await store.lease(path, { ttlMs, intent: begun.id, identity: credential?.token });
        held.push({ lease, intent: begun.id });
        env[name] = lease.value.reveal();
      } catch (error) {
        const failed = { status: 'failed', reason: 'The store gave no lease.', facts: {} } as const;
        await parts.governor.end(channel, begun.id, failed);
        throw error;
      }
    }
  } catch (error) {
    await endAll();
    throw error;
  }
  const values = held.flatMap(({ lease }) => [lease.value, ...(lease.parts ?? [])].map((secret) => secret.reveal()));
  return { env, values, [Symbol.asyncDispose]: endAll };
}

/** One that lives on keeps no other from its end; "agov leases" tells why. */
async function endLease(
  { governor }: LeaseParts,
  store: Secrets,
  channel: Channel,
  { lease, intent }: Held,
  failures: unknown[],
): Promise<void> {
  const lives = await store.end(lease.id).then(
    () => false,
    (error: unknown) => failures.push(error) > 0,
  );
  const facts = { lease: lives ? 'not ended' : 'ended', version: lease.version };
  const reason = 'The lease could not be ended.';
  await governor.end(channel, intent, lives ? { status: 'failed', reason, facts } : { status: 'ok', facts });
}

function denied(agent: string, path: string, reason: string | undefined): AgovError {
  return new AgovError('DENIED', {
    what: `Agent "${agent}" may not have the secret ${path}.`,
    why: reason ?? 'No policy permits it.',
    fix: `See "agov explain --agent ${agent} secret.read ${path}".`,
  });
}
