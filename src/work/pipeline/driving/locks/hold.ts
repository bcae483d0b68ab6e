/**
 * Locks of the state store, all of some or none, held until they are let go. They are renewed as long as the store
 * answers; when it has not for the grace, or says that one is no longer ours, they are lost, and whoever rests on them
 * must stop. They end in the store only some time after that, so that the next holder never overlaps.
 */
import type { Locks } from '../../../../adapters/state/port.ts';
import { AgovError, type Env, formatDuration, isAgovError } from '../../../../kernel/index.ts';

export interface LockParts {
  readonly env: Env;
  readonly locks: Locks;
  /** How long the store may be away before what is held counts as lost (`state.grace`). */
  readonly graceMs: number;
}

export interface Held extends AsyncDisposable {
  /** Fencing tokens by name. */
  readonly tokens: Readonly<Record<string, number>>;
  /** Aborts with an AgovError LOCK_LOST. */
  readonly lost: AbortSignal;
}

/** What is in the way: `by` is undefined where it went away at this moment. */
export interface Busy {
  readonly busy: string;
  readonly by: string | undefined;
}

/** For whoever is told to stop by the loss: what kills a command takes a moment. */
const stoppingMs = 5000;
const longestBeatMs = 1000;

/** How long after a holder's death its locks are free again. */
export function lockTtlMs(graceMs: number): number {
  return graceMs + stoppingMs;
}

/** `names` sorted, so that of two who want the same one gets further. @throws STATE_UNAVAILABLE, STATE_CORRUPT */
export async function takeLocks(parts: LockParts, names: readonly string[], owner: string): Promise<Held | Busy> {
  const { env, locks, graceMs } = parts;
  const began = env.monotonic();
  const grants = new Map<string, number>();
  try {
    for (const name of names) {
      const grant = await locks.acquire(name, owner, lockTtlMs(graceMs));
      if (!grant) {
        await release(locks, grants);
        return { busy: name, by: (await locks.holder(name))?.owner };
      }
      grants.set(name, grant.token);
    }
  } catch (error) {
    await release(locks, grants);
    throw error;
  }
  return keep(parts, grants, began);
}

function keep({ env, locks, graceMs }: LockParts, grants: ReadonlyMap<string, number>, began: number): Held {
  const [lost, over] = [new AbortController(), new AbortController()];
  const lose = (why: string): void => lost.abort(lockLost([...grants.keys()], why));
  const away = (): void => lose(`The state store has not answered for ${formatDuration(graceMs)} (state.grace).`);
  let grace: Disposable | undefined;
  const answered = (asked: number): void => {
    grace?.[Symbol.dispose]();
    grace = env.timer(away, Math.max(0, graceMs - (env.monotonic() - asked)));
  };
  const beat = async (): Promise<void> => {
    while (!lost.signal.aborted) {
      await env.sleep(Math.max(20, Math.min(longestBeatMs, graceMs / 4)), over.signal);
      const asked = env.monotonic();
      try {
        for (const [name, token] of grants) {
          if (!(await locks.renew(name, token, lockTtlMs(graceMs)))) lose(`The lock "${name}" is somebody else's now.`);
        }
        if (!over.signal.aborted) answered(asked);
      } catch (error) {
        if (!isAgovError(error)) throw error;
        // Not lost yet: the grace runs on, and ends what this does not mend.
      }
    }
  };
  answered(began);
  // Whatever else may go wrong in there, the grace is no longer put off, and tells it.
  const beating = beat().catch(() => undefined);
  return {
    tokens: Object.fromEntries(grants),
    lost: lost.signal,
    async [Symbol.asyncDispose]() {
      over.abort();
      await beating;
      grace?.[Symbol.dispose]();
      await release(locks, grants);
    },
  };
}

async function release(locks: Locks, grants: ReadonlyMap<string, number>): Promise<void> {
  for (const [name, token] of grants) {
    // Of a store that is away it ends by itself.
    await locks.release(name, token).catch(() => undefined);
  }
}

function lockLost(names: readonly string[], why: string): AgovError {
  return new AgovError('LOCK_LOST', {
    what: names.length === 1 ? `The lock "${names[0]}" was lost.` : `The locks ${names.join(', ')} were lost.`,
    why,
    fix: 'See "agov doctor" and what the lock guards; then let it be tried again.',
  });
}
