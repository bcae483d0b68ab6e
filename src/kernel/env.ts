/** Clock, timers and randomness come from here and nowhere else, so that every decision can be replayed. */
import { randomFillSync } from 'node:crypto';

export interface Env {
  /** Wall clock, milliseconds since the Unix epoch. */
  now(): number;
  /** A clock that never goes back, in milliseconds; only differences mean anything. */
  monotonic(): number;
  /** `length` bytes from a cryptographic source. */
  random(length: number): Uint8Array;
  /** Calls `fn` once after `ms` milliseconds unless disposed before. Does not keep the process alive. */
  timer(fn: () => void, ms: number): Disposable;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it aborts first. Keeps the process alive. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** RFC 3339 UTC with milliseconds, of milliseconds since the epoch. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

export function systemEnv(): Env {
  // One call for many ids: each costs some microseconds, whatever its length.
  const pool = new Uint8Array(4096);
  let used = pool.length;
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    random(length) {
      if (length > 64) return randomFillSync(new Uint8Array(length));
      if (used + length > pool.length) {
        randomFillSync(pool);
        used = 0;
      }
      const bytes = pool.slice(used, used + length);
      // What has been handed out must not be found here again.
      pool.fill(0, used, used + length);
      used += length;
      return bytes;
    },
    timer(fn, ms) {
      const handle = setTimeout(fn, ms);
      handle.unref();
      return { [Symbol.dispose]: () => clearTimeout(handle) };
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason);
          return;
        }
        const onAbort = (): void => {
          clearTimeout(handle);
          reject(signal?.reason);
        };
        const handle = setTimeout(() => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        }, ms);
        signal?.addEventListener('abort', onAbort, { once: true });
      }),
  };
}
