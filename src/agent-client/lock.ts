/** Holds a lock while something is done. */
import type { CallOptions } from './transport.ts';
import type { Answer, HeldLock, Locked, LockOptions } from './types.ts';

export type Ask = <T>(operation: string, input: object, options?: CallOptions) => Promise<T>;

type Taken = Answer<{ readonly held: boolean; readonly token?: number; readonly holder?: string }>;

/** As long as one request may wait. */
const longestWaitMs = 50_000;

/** `waitMs` may be longer than one request waits: then it is asked again. */
export async function lockWith<T>(
  ask: Ask,
  name: string,
  work: (lock: HeldLock) => Promise<T>,
  { ttlMs = 60_000, waitMs = 0 }: LockOptions = {},
): Promise<Answer<Locked<T>>> {
  const taken = await take(ask, name, ttlMs, waitMs);
  if (taken.verdict !== 'allow') return taken;
  const { intent, verdict, token } = taken;
  if (!taken.held || token === undefined)
    return { verdict, intent, held: false, holder: taken.holder ?? 'somebody else' };
  const lost = new AbortController();
  const renew = async (): Promise<void> => {
    const { held } = await ask<{ held: boolean }>('renew', { name, token, ttlMs });
    if (!held) lost.abort(new Error(`The lock ${name} was lost.`));
  };
  // Not reached is not lost: the next try may reach the governor before the lock runs out.
  const timer = setInterval(() => void renew().catch(() => undefined), ttlMs / 3);
  try {
    return { verdict, intent, held: true, value: await work({ token, signal: lost.signal }) };
  } finally {
    clearInterval(timer);
    await ask('unlock', { name, token });
  }
}

async function take(ask: Ask, name: string, ttlMs: number, waitMs: number): Promise<Taken> {
  let left = waitMs;
  for (;;) {
    const once = Math.min(left, longestWaitMs);
    const taken = await ask<Taken>('lock', { name, ttlMs, waitMs: once });
    left -= once;
    if (taken.verdict !== 'allow' || taken.held || left <= 0) return taken;
  }
}
