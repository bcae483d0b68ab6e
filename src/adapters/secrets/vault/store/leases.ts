/**
 * Leases as tokens below ours: each value is read with a token of its own that lives as long as the lease. So every read
 * has its accessor in Vault's audit log, and what an engine made goes with the token, even when the governor is dead.
 * What KV holds has no end of its own: after the lease nobody can read it again by it, but the value stays what it is.
 */
import { AgovError, type Env, type IdSource, Secret } from '../../../../kernel/index.ts';
import {
  authAnswer,
  type Call,
  type ChildToken,
  inParallel,
  refusalAnswer,
  shaped,
  unavailable,
  type Vault,
} from '../../../vault-client/index.ts';
import type { Lease, LeaseInfo } from '../../port.ts';
import { renewMade, revokeMade } from './engines.ts';
import type { LeaseRecord, Records } from './records.ts';

/** What a read gave, and Vault's lease on it where there is one. */
export interface Given {
  readonly version: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly leaseId?: string;
  readonly renewable?: boolean;
  readonly lifeMs?: number;
}

export interface Leases {
  issue(call: Call, want: Wanted, read: (token: Secret) => Promise<Given>): Promise<Lease>;
  /** @throws NOT_FOUND */
  renew(call: Call, id: string, ttlMs: number): Promise<LeaseInfo>;
  /** @throws SECRETS_UNAVAILABLE when it lives on: it is listed with the reason, and tried again */
  end(call: Call, id: string): Promise<void>;
  endAll(call: Call, path: string): Promise<void>;
  /** Also tries again what could not be ended. */
  list(call: Call): Promise<readonly LeaseInfo[]>;
}

interface Wanted {
  readonly path: string;
  readonly intent: string;
  readonly ttlMs: number;
  readonly identity?: Secret | undefined;
}

interface LeaseParts {
  readonly vault: Vault;
  readonly records: Records;
  readonly env: Env;
  readonly ids: IdSource;
}

/** The clock of another host may be so far ahead; a lease is swept away only when it is over for all. */
const skewMs = 60_000;

export function leases({ vault, records, env, ids }: LeaseParts): Leases {
  const revoke = async (call: Call, record: LeaseRecord): Promise<string | undefined> => {
    const reason = record.leaseId === undefined ? undefined : await revokeMade(vault, call, record.leaseId);
    // Vault goes on by itself with what is below a revoked token, so the token goes first or last, but always.
    return (await revokeToken(vault, call, record.accessor)) ?? reason;
  };

  const end: Leases['end'] = async (call, id) => {
    const found = await records.read(call, id);
    if (!found) return;
    const failure = await revoke(call, found.record);
    if (failure === undefined) return records.drop(call, id);
    // Lost to somebody else's change: they are ending it too, and note the same.
    await records.update(call, id, { ...found.record, failure }, found.revision);
    throw unrevoked(found.record.path, failure);
  };

  const all = async (call: Call) => {
    const found = await inParallel(await records.ids(call), async (id) => ({ id, ...(await records.read(call, id)) }));
    return found.flatMap(({ id, record }) => (record ? [{ id, record }] : []));
  };

  /** Why it is still there; undefined when it is gone. */
  const sweep = async (call: Call, id: string): Promise<string | undefined> => {
    try {
      await end(call, id);
      return undefined;
    } catch (error) {
      if (error instanceof AgovError) return error.why ?? error.what;
      throw error;
    }
  };

  return {
    async issue(call, { path, intent, ttlMs, identity }, read) {
      const meta = { agov_intent: intent };
      const child = await bounded(path, identity, () => vault.childToken(call, ttlMs, meta, identity));
      try {
        const given = await bounded(path, identity, () => read(child.token));
        const issuedAt = env.now();
        const lifeMs = Math.min(ttlMs, child.lifeMs, given.renewable ? ttlMs : (given.lifeMs ?? ttlMs));
        const info = { path, version: given.version, intent, issuedAt, expiresAt: issuedAt + lifeMs };
        const id = leaseId(env, ids);
        await records.create(call, id, recordOf(info, child, given));
        return { id, ...info, ...textOf(given.fields) };
      } catch (error) {
        // Nobody has the value yet. If this fails too, the token ends at its time, and with it what was made.
        await revokeToken(vault, call, child.accessor).catch(() => undefined);
        throw error;
      }
    },
    async renew(call, id, ttlMs) {
      for (;;) {
        const found = await records.read(call, id);
        if (!found || found.record.failure !== undefined || found.record.expiresAt <= env.now()) throw ended();
        const lifeMs = await extend(vault, call, found.record, ttlMs, env.now());
        if (lifeMs === undefined) {
          await end(call, id);
          throw ended();
        }
        const record = { ...found.record, expiresAt: env.now() + lifeMs };
        if (await records.update(call, id, record, found.revision)) return infoOf(id, record);
      }
    },
    end,
    async endAll(call, path) {
      const mine = (await all(call)).filter(({ record }) => record.path === path);
      const left = (await inParallel(mine, ({ id }) => sweep(call, id))).find((reason) => reason !== undefined);
      if (left !== undefined) throw unrevoked(path, left);
    },
    async list(call) {
      const now = env.now();
      const listed = await inParallel(await all(call), async ({ id, record }) => {
        if (record.failure === undefined && record.expiresAt > now) return infoOf(id, record);
        if (record.failure === undefined && record.expiresAt + skewMs > now) return undefined;
        const unended = await sweep(call, id);
        return unended === undefined ? undefined : { ...infoOf(id, record), unended };
      });
      return listed
        .filter((lease) => lease !== undefined)
        .sort((a, b) => a.issuedAt - b.issuedAt || (a.id < b.id ? -1 : 1));
    },
  };
}

/** Milliseconds that it will live from now, `ttlMs` or less; undefined when Vault has ended it. */
async function extend(vault: Vault, call: Call, record: LeaseRecord, ttlMs: number, now: number) {
  const path = 'auth/token/renew-accessor';
  const body = { accessor: record.accessor, increment: `${Math.ceil(ttlMs / 1000)}s` };
  const answer = await vault.send(call, { method: 'POST', path, body }, 400, 403);
  if (isInvalidAccessor(answer.json)) return undefined;
  const lifeMs = Math.min(ttlMs, shaped(path, answer, authAnswer).auth.lease_duration * 1000);
  if (record.leaseId === undefined) return lifeMs;
  if (!record.renewable) return Math.min(lifeMs, record.expiresAt - now);
  const made = await renewMade(vault, call, record.leaseId, lifeMs);
  return made === undefined ? undefined : Math.min(lifeMs, made);
}

/** Undefined when it is gone for certain; otherwise why not. */
async function revokeToken(vault: Vault, call: Call, accessor: string): Promise<string | undefined> {
  const path = 'auth/token/revoke-accessor';
  const answer = await vault.send(call, { method: 'POST', path, body: { accessor } }, 400, 403);
  if (answer.status < 300 || isInvalidAccessor(answer.json)) return undefined;
  if (answer.status === 403) return 'The token may not update auth/token/revoke-accessor in Vault.';
  return `Vault could not revoke its token: ${vault.said(answer)}`;
}

function isInvalidAccessor(json: unknown): boolean {
  const refusal = refusalAnswer.safeParse(json);
  return refusal.success && refusal.data.errors.some((text) => text.includes('invalid accessor'));
}

function recordOf(info: Omit<LeaseInfo, 'id'>, { accessor }: ChildToken, given: Given): LeaseRecord {
  const { leaseId, renewable = false } = given;
  return { ...info, accessor, renewable, ...(leaseId === undefined ? {} : { leaseId }) };
}

function infoOf(id: string, { path, version, intent, issuedAt, expiresAt }: LeaseRecord): LeaseInfo {
  return { id, path, version, intent, issuedAt, expiresAt };
}

/** One text as it is. Several fields as JSON, and each by itself, because a tool prints the password alone. */
function textOf(fields: Readonly<Record<string, unknown>>): Pick<Lease, 'value' | 'parts'> {
  const [only, ...more] = Object.values(fields);
  if (typeof only === 'string' && more.length === 0) return { value: new Secret(only) };
  return { value: new Secret(JSON.stringify(fields)), parts: textsIn(fields).map((text) => new Secret(text)) };
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** A UUIDv7 to sort by, and 128 random bits. Neither Vault's lease id nor the accessor is in it. */
function leaseId(env: Env, ids: IdSource): string {
  return `${ids()}-${Buffer.from(env.random(16)).toString('hex')}`;
}

/** With the agent's own token a refusal is about the agent, whatever our own token may. */
async function bounded<T>(path: string, identity: Secret | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const beyond = error instanceof AgovError && error.details?.['reason'] === 'capability';
    if (identity === undefined || !beyond) throw error;
    throw new AgovError('DENIED', {
      what: `Vault does not let the agent have "${path}".`,
      why: 'The policy of its tier does not reach so far, or its identity was suspended a moment ago.',
      fix: 'Run "agov tiers drift", which tells whether the policies in Vault are those of the tiers.',
      cause: error,
    });
  }
}

function ended(): AgovError {
  return new AgovError('NOT_FOUND', { what: 'The lease has ended, or never was.', fix: 'Take a new lease.' });
}

function unrevoked(path: string, why: string): AgovError {
  return unavailable('unrevoked', {
    what: `A lease of "${path}" could not be ended.`,
    why,
    fix: 'See "agov leases", which tries again; until it is gone there the credential lives.',
  });
}
