/**
 * What a worker has begun, and whether it may go on: each claim is a lease that is renewed in one call for all. A lease
 * that could not be renewed in good time is over for the worker before it is over for anybody else.
 */
import type { Claims } from '../../../adapters/queue/port.ts';
import type { Env } from '../../../kernel/index.ts';

export interface Held {
  readonly id: string;
  readonly holder: string;
  /** Aborts when the work must stop. */
  readonly signal: AbortSignal;
  /** Why it was stopped: by order of the coordinator, or because it is no longer this worker's. */
  ended(): 'cancelled' | 'lost' | 'stopped' | undefined;
  release(): void;
}

export interface Leases {
  readonly size: number;
  /** Call before the claim is made: from then on the time counts. */
  hold(id: string, holder: string): Held;
  renew(): Promise<void>;
  /** All that is under way. */
  stop(): void;
}

/** Of the lease: what is left is for the command to die in. */
const share = 0.7;

export function openLeases(claims: Claims, env: Env, leaseMs: number): Leases {
  interface Entry {
    readonly id: string;
    readonly holder: string;
    readonly abort: AbortController;
    since: number;
    end: 'cancelled' | 'lost' | 'stopped' | undefined;
  }
  const all = new Set<Entry>();
  const stop = (entry: Entry, end: Entry['end']): void => {
    entry.end ??= end;
    entry.abort.abort();
  };

  return {
    get size() {
      return all.size;
    },
    hold(id, holder) {
      const entry: Entry = { id, holder, abort: new AbortController(), since: env.monotonic(), end: undefined };
      all.add(entry);
      return {
        ...{ id, holder, signal: entry.abort.signal },
        ended: () => entry.end,
        release: () => void all.delete(entry),
      };
    },
    async renew() {
      const asked = env.monotonic();
      const now = [...all];
      try {
        const { lost, cancelled } = now.length > 0 ? await claims.renew(now, leaseMs) : { lost: [], cancelled: [] };
        for (const entry of now) {
          if (lost.includes(entry.id)) stop(entry, 'lost');
          else entry.since = asked;
          if (cancelled.includes(entry.id)) stop(entry, 'cancelled');
        }
      } finally {
        for (const entry of all) if (env.monotonic() - entry.since > leaseMs * share) stop(entry, 'lost');
      }
    },
    stop() {
      for (const entry of all) stop(entry, 'stopped');
    },
  };
}
