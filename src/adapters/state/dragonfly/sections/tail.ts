/**
 * One reader waits for new events and hands them to all who follow in this process. A batch says from which number on it
 * is complete, so that a follower sees whether it has missed anything and reads that by itself. A connection that is lost
 * costs nothing; a server that stays away for longer than `graceMs` ends every follow with the reason.
 */
import { z } from 'zod';
import { type Env, isAgovError } from '../../../../kernel/index.ts';
import type { StateEvent } from '../../port.ts';
import type { Faults } from '../connection/faults.ts';
import type { Link } from '../connection/link.ts';

export interface Batch {
  /** Every event with a number above this one, up to the last of `events`, is in `events`. */
  readonly from: number;
  readonly events: readonly StateEvent[];
}

export interface Subscription extends Disposable {
  /** Undefined when the follower's signal has aborted. @throws AgovError as the server was lost */
  next(): Promise<Batch | undefined>;
  /** What `ask` gives, asked again while the server is away for less than `graceMs`; undefined as for `next`. */
  persist<T>(ask: () => Promise<T>): Promise<T | undefined>;
}

export interface Tail extends Disposable {
  subscribe(signal: AbortSignal): Subscription;
}

export interface TailOptions {
  readonly env: Env;
  readonly faults: Faults;
  readonly waiting: Link;
  readonly key: string;
  readonly eventRow: z.ZodType<StateEvent>;
  readonly lastOf: () => Promise<number>;
  readonly deadlineMs: number;
  readonly graceMs: number;
}

/** The server answers at least this often, so that a connection that is dead without saying so is noticed. */
const waitMs = 1000;
const page = 1000;
const longestQueue = 64;
const pauseMs = 25;

interface Follower {
  queue: Batch[];
  error: unknown;
  wake(): void;
}

export function openTail(options: TailOptions): Tail {
  const { env, faults, waiting, key, lastOf, deadlineMs, graceMs } = options;
  const followers = new Set<Follower>();
  const closing = new AbortController();
  let reading: AbortController | undefined;
  const answer = z.union([
    z.null().transform(() => []),
    z.tuple([z.tuple([z.literal(key), z.array(options.eventRow)])]).transform(([[, events]]) => events),
  ]);

  async function wait(cursor: number): Promise<readonly StateEvent[]> {
    const form = ['XREAD', 'COUNT', page, 'BLOCK', waitMs, 'STREAMS', key, `${cursor}-0`] as const;
    const asked = { name: 'event.follow', commands: ['XREAD'], keys: [key], again: false };
    return waiting.send({ ...asked, forms: [form], deadlineMs: waitMs + deadlineMs }, (reply) => {
      const parsed = answer.safeParse(reply);
      if (!parsed.success) throw faults.corrupt('The stream of events holds what is no event.');
      if ((parsed.data[0]?.seq ?? Number.POSITIVE_INFINITY) <= cursor) throw faults.notRedis();
      return parsed.data;
    });
  }

  async function read(stop: AbortSignal): Promise<void> {
    let cursor = await persist(lastOf, stop);
    for (let events: readonly StateEvent[] = []; !stop.aborted; ) {
      hand({ from: cursor, events });
      cursor = events.at(-1)?.seq ?? cursor;
      do events = await persist(() => wait(cursor), stop);
      while (events.length === 0 && !stop.aborted);
    }
  }

  function hand(batch: Batch): void {
    for (const follower of followers) {
      // One that does not keep up reads by itself later: from Infinity nothing is complete.
      const full = follower.queue.length >= longestQueue;
      follower.queue = full ? [{ from: Number.POSITIVE_INFINITY, events: [] }] : [...follower.queue, batch];
      follower.wake();
    }
  }

  function fail(error: unknown): void {
    for (const follower of followers) {
      follower.error = error;
      follower.wake();
    }
  }

  function start(): void {
    if (reading) return;
    const mine = new AbortController();
    reading = mine;
    read(AbortSignal.any([mine.signal, closing.signal])).catch((error: unknown) => {
      if (reading !== mine) return;
      reading = undefined;
      fail(closing.signal.aborted ? faults.closed() : error);
    });
  }

  async function persist<T>(ask: () => Promise<T>, stop: AbortSignal): Promise<T> {
    for (let since: number | undefined; ; ) {
      try {
        return await ask();
      } catch (error) {
        const now = env.monotonic();
        since ??= now;
        if (stop.aborted || !mayPass(error) || now - since >= graceMs) throw error;
      }
      await env.sleep(pauseMs, stop);
    }
  }

  return {
    subscribe(signal) {
      const nobody = (): void => undefined;
      const follower: Follower = { queue: [], error: undefined, wake: nobody };
      followers.add(follower);
      const onAbort = (): void => follower.wake();
      signal.addEventListener('abort', onAbort);
      if (closing.signal.aborted) follower.error = faults.closed();
      else start();
      return {
        async next() {
          for (;;) {
            if (signal.aborted) return undefined;
            const batch = follower.queue.shift();
            if (batch) return batch;
            if (follower.error !== undefined) throw follower.error;
            await new Promise<void>((resolve) => {
              follower.wake = resolve;
            });
          }
        },
        async persist(ask) {
          const aborted = new Promise<undefined>((resolve) => {
            signal.addEventListener('abort', () => resolve(undefined), { once: true });
          });
          const asked = persist(ask, AbortSignal.any([signal, closing.signal])).catch((error: unknown) => {
            if (signal.aborted) return undefined;
            throw closing.signal.aborted ? faults.closed() : error;
          });
          return signal.aborted ? undefined : Promise.race([asked, aborted]);
        },
        [Symbol.dispose]() {
          signal.removeEventListener('abort', onAbort);
          followers.delete(follower);
          if (followers.size > 0) return;
          reading?.abort();
          reading = undefined;
          waiting.rest();
        },
      };
    },
    [Symbol.dispose]() {
      closing.abort();
      fail(faults.closed());
    },
  };
}

/** Whether waiting may help: an outage passes, a refusal stays. */
function mayPass(error: unknown): boolean {
  return isAgovError(error, 'STATE_UNAVAILABLE') && [undefined, 'LOADING'].includes(error.details?.['reply'] as string);
}
