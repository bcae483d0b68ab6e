/**
 * Requests that get an answer: redirects followed by hand, throttled and failed ones sent again with jitter, all of it
 * inside the deadline of the call.
 */
import type { Env, Json, Secret } from '../../../kernel/index.ts';
import { isAgovError } from '../../../kernel/index.ts';
import { refusalAnswer } from '../answers.ts';
import { closed, isHopeless, tooLate, unavailable, unreachable } from '../refusals.ts';
import { nextHop, type Trust } from './redirect.ts';
import { type Answer, openWire, type Wire } from './wire.ts';

export interface Request {
  readonly method: 'GET' | 'LIST' | 'POST' | 'PUT' | 'DELETE';
  /** Below `/v1/`; segments are of characters that need no escape. */
  readonly path: string;
  readonly body?: Json;
  readonly token?: Secret;
  /** Asked once: whatever its status is, it is the answer. */
  readonly once?: true;
  /** A value in the body, which no error may show. */
  readonly hide?: Secret;
  /** The answer comes in an envelope (response wrapping) that lives so long. */
  readonly wrapTtlMs?: number;
}

/** One thing to be done, with its end. */
export interface Call {
  readonly signal: AbortSignal;
  /** Milliseconds to the deadline. */
  left(): number;
}

export interface Transport extends Disposable {
  readonly address: string;
  /** Runs `work` and ends it at the deadline. @throws AgovError SECRETS_UNAVAILABLE */
  within<T>(work: (call: Call) => Promise<T>): Promise<T>;
  /** The answer, whatever its status. @throws AgovError SECRETS_UNAVAILABLE */
  send(call: Call, request: Request): Promise<Answer>;
}

export interface TransportOptions {
  readonly address: URL;
  readonly namespace?: string | undefined;
  /** PEM of the only authorities that are believed; those of the system where there is none. */
  readonly ca?: string | undefined;
  readonly deadlineMs: number;
  readonly env: Env;
}

/** A token made for one read must outlast this many tries. */
export const maxAttempts = 5;
const maxHops = 3;
const firstPauseMs = 100;

export function openTransport({ address, namespace, ca, deadlineMs, env }: TransportOptions): Transport {
  const wire = openWire(ca);
  const trust: Trust = { home: address, ownAuthority: ca !== undefined };
  const life = new AbortController();
  const fixed = {
    Accept: 'application/json',
    'X-Vault-Request': 'true',
    ...(namespace === undefined ? {} : { 'X-Vault-Namespace': namespace }),
  };

  const send = async (call: Call, request: Request): Promise<Answer> => {
    for (let attempt = 1; ; attempt++) {
      const outcome = await exchange(wire, trust, fixed, call, request);
      const pauseMs = request.once ? undefined : pauseAfter(outcome, attempt, env);
      if (pauseMs === undefined || pauseMs >= call.left()) {
        if (outcome.answer !== undefined) return outcome.answer;
        throw unreachable(address.origin, outcome.error);
      }
      await env.sleep(pauseMs, call.signal);
    }
  };

  return {
    address: address.origin,
    send,
    async within(work) {
      const late = new AbortController();
      const end = env.monotonic() + deadlineMs;
      using _timer = env.timer(() => late.abort(), deadlineMs);
      const signal = AbortSignal.any([late.signal, life.signal]);
      try {
        if (life.signal.aborted) throw closed();
        return await work({ signal, left: () => end - env.monotonic() });
      } catch (error) {
        if (isAgovError(error) || !signal.aborted) throw error;
        throw life.signal.aborted ? closed() : tooLate(address.origin, deadlineMs);
      }
    },
    [Symbol.dispose]() {
      life.abort();
      wire[Symbol.dispose]();
    },
  };
}

type Outcome =
  | { readonly answer: Answer; readonly error?: undefined }
  | { readonly answer?: undefined; readonly error: unknown };

async function exchange(
  wire: Wire,
  trust: Trust,
  fixed: Readonly<Record<string, string>>,
  call: Call,
  { method, path, body, token, wrapTtlMs }: Request,
): Promise<Outcome> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    ...fixed,
    ...(token ? { 'X-Vault-Token': token.reveal() } : {}),
    ...(wrapTtlMs === undefined ? {} : { 'X-Vault-Wrap-TTL': `${Math.ceil(wrapTtlMs / 1000)}s` }),
    ...(text === undefined
      ? {}
      : { 'Content-Type': 'application/json', 'Content-Length': `${Buffer.byteLength(text)}` }),
  };
  // Node's HTTP knows no LIST; Vault takes this for the same.
  let url = new URL(`/v1/${path}${method === 'LIST' ? '?list=true' : ''}`, trust.home);
  const wired = method === 'LIST' ? 'GET' : method;
  try {
    for (let hop = 0; hop <= maxHops; hop++) {
      const sent = { method: wired, url, headers, ...(text === undefined ? {} : { body: text }) } as const;
      const answer = await wire.send(sent, call.signal);
      if (answer.status < 300 || answer.status > 399) return { answer };
      url = nextHop(url, answer.location, trust);
    }
  } catch (error) {
    if (call.signal.aborted || isAgovError(error)) throw error;
    return { error };
  }
  throw unavailable('redirect', {
    what: `Vault redirected ${maxHops + 1} times in a row.`,
    fix: 'Check api_addr of the nodes: each must name the node itself.',
  });
}

/** How long to wait before the next try; undefined when there is to be none. */
function pauseAfter(outcome: Outcome, attempt: number, env: Env): number | undefined {
  if (attempt === maxAttempts) return undefined;
  const jitter = 0.5 + (env.random(1)[0] ?? 0) / 510;
  const pauseMs = firstPauseMs * 2 ** (attempt - 1) * jitter;
  if (outcome.answer === undefined) return isHopeless(outcome.error) ? undefined : pauseMs;
  const { status, retryAfterMs } = outcome.answer;
  if (status === 429) return Math.max(retryAfterMs ?? 0, pauseMs);
  // A sealed or uninitialised server waits for a person, who is slower than any deadline.
  if (status < 500 || status === 501 || isSealed(outcome.answer)) return undefined;
  return Math.max(retryAfterMs ?? 0, pauseMs);
}

export function isSealed({ status, json }: Answer): boolean {
  const refusal = refusalAnswer.safeParse(json);
  return status === 503 && refusal.success && refusal.data.errors.some((text) => text.includes('sealed'));
}
