/**
 * A circuit breaker: a server that has failed several times in a row is left alone for a while, and calls fail at once
 * with the reason. Then one call is let through, and its answer decides. Only failures of availability count: a refusal
 * is an answer. What takes authority away is never held back (`pass`).
 *
 * The states and their transitions are cockatiel's. The pauses are ours, because cockatiel's go by the wall clock, and one
 * that is set back an hour would keep a breaker open for that hour.
 */
import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import { AgovError, type Env, isoTime } from '../../kernel/index.ts';

export interface BreakerStatus {
  readonly name: string;
  readonly state: 'closed' | 'open' | 'half-open';
  /** Since when it has let nothing through; times are RFC 3339. */
  readonly since?: string;
  readonly reason?: string;
  readonly nextTryAt?: string;
  /** How often it has opened in the life of this process. */
  readonly opened: number;
}

export interface Breaker {
  readonly name: string;
  status(): BreakerStatus;
  /** Runs `work`, or fails at once with the code of the last failure. */
  call<T>(work: () => Promise<T>): Promise<T>;
  /** Runs `work` whatever the state is, and learns from it all the same: for revocations. */
  pass<T>(work: () => Promise<T>): Promise<T>;
}

export interface BreakerOptions {
  readonly name: string;
  readonly env: Env;
  /** Whether an error says that the server is away, rather than that it refuses. */
  readonly isOutage: (error: unknown) => error is AgovError;
}

const failuresToOpen = 3;
const firstPauseMs = 250;
/** Well below any grace period: a server that is back is found in time. One question in two seconds burdens nobody. */
const longestPauseMs = 2000;

/** Why nothing is let through, and until when. */
interface Outage {
  readonly since: number;
  readonly error: AgovError;
  readonly pauses: number;
  /** On the monotonic clock. */
  readonly until: number;
  readonly nextTryAt: number;
}

/** What a call came to that was answered, by a value or by a refusal. */
type Answered<T> = { readonly value: T } | { readonly refusal: unknown };

export function openBreaker({ name, env, isOutage }: BreakerOptions): Breaker {
  let outage: Outage | undefined;
  let last: AgovError | undefined;
  let opened = 0;
  const policy = circuitBreaker(handleAll, {
    breaker: new ConsecutiveBreaker(failuresToOpen),
    // Over at once by cockatiel's clock, whichever way that is set: `held` below says when.
    halfOpenAfter: Number.NEGATIVE_INFINITY,
  });
  policy.onBreak(() => {
    if (!last) return;
    opened += 1;
    const pauses = outage?.pauses ?? 0;
    const pauseMs = pause(env, pauses);
    const [until, nextTryAt] = [env.monotonic() + pauseMs, env.now() + pauseMs];
    outage = { since: outage?.since ?? env.now(), error: last, pauses: pauses + 1, until, nextTryAt };
  });
  policy.onReset(() => {
    outage = undefined;
  });

  const held = (): Outage | undefined => {
    if (outage === undefined) return undefined;
    return policy.state === CircuitState.HalfOpen || env.monotonic() < outage.until ? outage : undefined;
  };

  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    const answered = await policy.execute(async (): Promise<Answered<T>> => {
      try {
        return { value: await work() };
      } catch (error) {
        if (!isOutage(error)) return { refusal: error };
        last = error;
        throw error;
      }
    });
    if ('refusal' in answered) throw answered.refusal;
    return answered.value;
  };

  return {
    name,
    status() {
      if (outage === undefined) return { name, state: 'closed', opened };
      const state = policy.state === CircuitState.HalfOpen ? 'half-open' : 'open';
      const [since, nextTryAt] = [isoTime(outage.since), isoTime(outage.nextTryAt)];
      return { name, state, since, reason: outage.error.what, nextTryAt, opened };
    },
    async call(work) {
      const why = held();
      if (why) throw heldBack(name, why);
      return run(work);
    },
    // While another call is the probe, cockatiel would let this one wait for it.
    pass: (work) => (policy.state === CircuitState.HalfOpen ? work() : run(work)),
  };
}

function heldBack(name: string, { error, since, nextTryAt }: Outage): AgovError {
  const [from, next] = [isoTime(since), isoTime(nextTryAt)];
  const held = `It has failed since ${from} and is left alone until ${next}.`;
  return new AgovError(error.code, {
    what: error.what,
    why: error.why === undefined ? held : `${error.why} ${held}`,
    ...(error.fix === undefined ? {} : { fix: error.fix }),
    details: { ...error.details, breaker: name, since: from, nextTryAt: next },
    cause: error,
  });
}

/** Half of it is chance, so that a fleet does not come back in step. */
function pause(env: Env, pauses: number): number {
  const longest = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(pauses, 10));
  return Math.round(longest * (0.5 + (env.random(1)[0] ?? 0) / 512));
}
