/**
 * What this process does in the background for the leases that it gave: renews a credential whose own life is shorter
 * than the lease, and tries again to end what could not be ended. What it cannot do before it dies, Vault does at the
 * end of the lease's token, and "agov leases" after that.
 */
import type { Env } from '../../../../kernel/index.ts';

export interface Keeper extends Disposable {
  /** Calls `renew` at two thirds of `lifeMs`, and so on by what it gives back, until it gives undefined. */
  keep(id: string, lifeMs: number, renew: () => Promise<number | undefined>): void;
  /** Calls `end` again and again, with growing pauses, until it does not throw. */
  retry(id: string, end: () => Promise<void>): void;
  forget(id: string): void;
}

const leastMs = 1000;
const firstRetryMs = 5000;
const lastRetryMs = 300_000;

export function keeper(env: Env): Keeper {
  const timers = new Map<string, Disposable>();
  const at = (id: string, ms: number, work: () => Promise<void>): void => {
    timers.get(id)?.[Symbol.dispose]();
    timers.set(
      id,
      env.timer(() => void work(), ms),
    );
  };

  const keep: Keeper['keep'] = (id, lifeMs, renew) => {
    const begun = env.monotonic();
    at(id, Math.max((lifeMs * 2) / 3, leastMs), async () => {
      // A failure is not the end: what is left of the credential's life is time to try again.
      const next = await renew().catch(() => lifeMs - (env.monotonic() - begun));
      if (timers.has(id) && next !== undefined && next > leastMs) keep(id, next, renew);
    });
  };

  const retry = (id: string, end: () => Promise<void>, pauseMs = firstRetryMs): void =>
    at(id, pauseMs, async () => {
      try {
        await end();
        timers.delete(id);
      } catch {
        // Its reason stands in the record; this one is only for the time of the next try.
        if (timers.has(id)) retry(id, end, Math.min(pauseMs * 2, lastRetryMs));
      }
    });

  const forget = (id: string): void => {
    timers.get(id)?.[Symbol.dispose]();
    timers.delete(id);
  };

  return {
    keep,
    retry: (id, end) => retry(id, end),
    forget,
    [Symbol.dispose]() {
      for (const id of [...timers.keys()]) forget(id);
    },
  };
}
