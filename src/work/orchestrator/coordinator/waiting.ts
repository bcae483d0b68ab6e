/**
 * Waits for results, by whichever way they come first: as they are published, or where they are kept. Finds out who holds
 * what is waited for, and bars what nobody holds any more before it is called lost: a worker that comes back later begins
 * nothing, and its result is not taken.
 */
import type { Claim, Queue } from '../../../adapters/queue/port.ts';
import { type Env, formatDuration } from '../../../kernel/index.ts';
import { type About, jobId, type Opened, type Result, resultSchema } from '../messages/index.ts';

export type Arrived =
  | { readonly how: 'result'; readonly result: Result }
  /** Nobody will tell any more, and nobody begins it now. */
  | { readonly how: 'lost'; readonly reason: string }
  /** Stopped before anybody began it. */
  | { readonly how: 'stopped' };

export interface Awaited {
  readonly arrived: Promise<Arrived>;
  /** Call once it is in the queue, or may be: from then on one that is not there is lost. */
  given(): void;
  /** Nobody waits for it any more. */
  forget(): void;
}

export interface Waiting extends AsyncDisposable {
  expect(about: About, signal: AbortSignal): Awaited;
}

export interface WaitingParts {
  readonly queue: Queue;
  readonly env: Env;
  /** How long a worker may be silent. */
  readonly leaseMs: number;
  open(sealed: string): Opened;
  /** Somebody says what no trusted worker has signed. */
  onForged(about: About, reason: string): void;
  /** Nobody has taken it for so long. */
  onIdle(about: About, waitedMs: number): void;
  onSilence(error: unknown): void;
}

/** Longer than a copy of a job may be taken: who began it is known until then. */
export const keepMs = 3 * 86_400_000;

const longestLookMs = 1000;
const settleAfterMs = 60_000;

interface Pending {
  readonly about: About;
  readonly since: number;
  readonly signal: AbortSignal;
  readonly resolve: (arrived: Arrived) => void;
  given: boolean;
  cancelled: boolean;
}

export function openWaiting(parts: WaitingParts, run: string): Waiting {
  const { env, queue, leaseMs } = parts;
  const lookMs = Math.max(20, Math.min(longestLookMs, leaseMs / 5));
  const pending = new Map<string, Pending>();
  /** Read, and by now on record or about to be. */
  const read = new Map<string, number>();
  const closing = new AbortController();
  let going: Promise<unknown> | undefined;

  const end = (id: string, arrived: Arrived): void => {
    pending.get(id)?.resolve(arrived);
    pending.delete(id);
  };

  /** False where it is no result of this job by a trusted worker. */
  const deliver = (id: string, sealed: string): boolean => {
    const waiting = pending.get(id);
    if (!waiting) return true;
    const opened = parts.open(sealed);
    const result = opened.ok ? resultSchema.safeParse(opened.value) : undefined;
    if (opened.ok && result?.success && isSame(result.data.about, waiting.about)) {
      read.set(id, env.monotonic());
      end(id, { how: 'result', result: result.data });
      return true;
    }
    parts.onForged(waiting.about, opened.ok ? 'It is signed, and of another job or malformed.' : opened.reason);
    return false;
  };

  const bar = async (id: string, reason: string, forged?: string): Promise<void> => {
    const { fenced } = await queue.claims.fence(id, keepMs, forged);
    if (fenced) end(id, { how: 'lost', reason });
  };

  const cancel = async (id: string, waiting: Pending): Promise<void> => {
    const { fenced } = await queue.claims.cancel(id, keepMs);
    waiting.cancelled = true;
    if (fenced) end(id, { how: 'stopped' });
  };

  const judge = async (id: string, waiting: Pending, claim: Claim): Promise<void> => {
    if (claim.result !== undefined && deliver(id, claim.result)) return;
    if (claim.fenced) return end(id, { how: 'lost', reason: 'It was barred while nobody held it.' });
    const by = claim.holder?.split('#')[0];
    if (by !== undefined && claim.leftMs === 0)
      return bar(id, `Worker ${by} began it and has fallen silent.`, claim.result);
    if (by === undefined && !claim.queued && waiting.given) return bar(id, goneReason(claim));
    if (waiting.signal.aborted && !waiting.cancelled) return cancel(id, waiting);
    if (by === undefined && waiting.given) parts.onIdle(waiting.about, env.monotonic() - waiting.since);
  };

  const look = async (): Promise<void> => {
    const now = [...pending];
    const claims = await queue.claims.look(now.map(([id]) => id));
    for (const [i, [id, waiting]] of now.entries()) {
      const claim = claims[i];
      if (claim && pending.get(id) === waiting) await judge(id, waiting, claim);
    }
    const old = [...read].filter(([, at]) => env.monotonic() - at > settleAfterMs).map(([id]) => id);
    if (old.length > 0) await queue.claims.settle(old);
    for (const id of old) read.delete(id);
  };

  const lookOn = async (): Promise<void> => {
    for (;;) {
      await env.sleep(lookMs, closing.signal);
      if (pending.size > 0 || read.size > 0) await look().catch(parts.onSilence);
    }
  };
  const readOn = async (): Promise<void> => {
    for await (const { id, result } of queue.claims.results(run, closing.signal)) deliver(id, result);
  };

  return {
    expect(about, signal) {
      const id = jobId(about);
      const { promise, resolve } = Promise.withResolvers<Arrived>();
      const waiting: Pending = { about, since: env.monotonic(), signal, resolve, given: false, cancelled: false };
      pending.set(id, waiting);
      // The end of the loops is the end of the waiting: nothing else rejects them.
      going ??= Promise.allSettled([lookOn(), readOn()]);
      const onAbort = (): void => {
        if (waiting.given) cancel(id, waiting).catch(parts.onSilence); // `look` tries again
      };
      signal.addEventListener('abort', onAbort, { once: true });
      const arrived = promise.finally(() => signal.removeEventListener('abort', onAbort));
      return {
        arrived,
        given() {
          waiting.given = true;
          if (signal.aborted) onAbort();
        },
        forget: () => void pending.delete(id),
      };
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await going;
      // They end by themselves; it only frees the memory sooner.
      await queue.claims.settle([...read.keys()]).catch(() => undefined);
    },
  };
}

function isSame(one: About, other: About): boolean {
  return (
    one.run === other.run &&
    one.key === other.key &&
    one.attempt === other.attempt &&
    one.token === other.token &&
    one.round === other.round
  );
}

/** The word of whoever left it: for people alone. */
function goneReason({ remark }: Claim): string {
  return remark === undefined ? 'The state server has forgotten it.' : `It was taken and not begun. ${remark}`;
}

export function waited(ms: number): string {
  return formatDuration(Math.round(ms / 1000) * 1000);
}
