/**
 * The token that everything is asked with. It is looked at once, renewed when two thirds of its life are over, and got
 * anew by AppRole where it cannot be renewed any further.
 */
import { type AgovError, type Env, type JsonObject, type Redactor, redactor, Secret } from '../../kernel/index.ts';
import { authAnswer, lookupAnswer } from './answers.ts';
import type { Answer, Call, Request, Transport } from './exchange/index.ts';
import { tokenRefused, unavailable } from './refusals.ts';
import { unusable } from './server.ts';

export type VaultAuth =
  | { readonly method: 'token'; readonly token: () => Secret }
  | {
      readonly method: 'approle';
      /** Where the AppRole method is mounted. */
      readonly mount: string;
      readonly roleId: () => Secret;
      /** Read at each login, so that a file may be renewed under a running process. */
      readonly secretId: () => Secret;
    };

export interface Session extends Disposable {
  /** Sends with the token; with a new one, once, where Vault knows the old one no more. */
  send(call: Call, request: Request): Promise<Answer>;
  /** Makes the token live for `ms` more where that can be had. How long it will live. */
  liveFor(call: Call, ms: number): Promise<number>;
  /** Revokes a token that was got by a login here. */
  leave(): Promise<void>;
  /** `text` without any credential of ours. */
  conceal(text: string): string;
}

interface Held {
  readonly token: Secret;
  /** On the monotonic clock; Infinity for a token without an end. */
  readonly until: number;
  readonly renewable: boolean;
}

/** What is left of a token is not used to the last moment. */
const marginMs = 1000;

export function openSession(transport: Transport, auth: VaultAuth, env: Env): Session {
  const known = new Set<string>();
  let hide: Redactor = redactor([]);
  let held: Held | undefined;
  /** What a login gives; there is no use in another one for less. */
  let loginLifeMs = 0;
  let timer: Disposable | undefined;
  let pending: Promise<Held> | undefined;

  const learn = (secret: Secret): Secret => {
    if (known.has(secret.reveal())) return secret;
    known.add(secret.reveal());
    hide = redactor([...known]);
    return secret;
  };

  const hold = (token: Secret, lifeMs: number, renewable: boolean): Held => {
    held = { token: learn(token), until: env.monotonic() + lifeMs, renewable };
    timer?.[Symbol.dispose]();
    const ends = lifeMs !== Number.POSITIVE_INFINITY && lifeMs > 3 * marginMs;
    // A failure of this is found, and told, by the next call.
    timer = ends ? env.timer(() => void refresh(lifeMs).catch(() => undefined), (lifeMs * 2) / 3) : undefined;
    return held;
  };

  const acquire = async (call: Call): Promise<Held> => {
    if (auth.method === 'token') {
      const token = learn(auth.token());
      const { ttl, renewable } = await lookUp(transport, call, token);
      return hold(token, lifeOf(ttl), renewable);
    }
    const body = { role_id: learn(auth.roleId()).reveal(), secret_id: learn(auth.secretId()).reveal() };
    const { client_token, lease_duration, renewable } = await logIn(transport, call, auth.mount, body);
    loginLifeMs = lifeOf(lease_duration);
    return hold(new Secret(client_token), loginLifeMs, renewable);
  };

  const renew = async (call: Call, now: Held, wantedMs: number): Promise<Held | undefined> => {
    if (!now.renewable) return undefined;
    const path = 'auth/token/renew-self';
    const body = { increment: `${Math.ceil(wantedMs / 1000)}s` };
    const answer = await transport.send(call, { method: 'POST', path, body, token: now.token });
    if (answer.status === 400 || answer.status === 403) return undefined;
    const { lease_duration, renewable } = await authOf(transport, call, path, answer);
    return hold(now.token, lease_duration * 1000, renewable);
  };

  const extend = async (call: Call, wantedMs: number): Promise<Held> => {
    const now = held;
    if (!now || now.until <= env.monotonic()) return acquire(call);
    const renewed = (await renew(call, now, wantedMs)) ?? now;
    // A given token cannot be had anew; it serves to its end.
    if (auth.method === 'token') return renewed;
    if (renewed.until - env.monotonic() + marginMs >= Math.min(wantedMs, loginLifeMs)) return renewed;
    return acquire(call).catch((error: unknown) => {
      // A login that fails is no reason to drop a token that serves: a secret id may be good for one use only.
      if (renewed.until > env.monotonic() + marginMs) return renewed;
      throw error;
    });
  };

  /** One at a time, under a deadline of its own: many calls may wait for it. */
  const refresh = (wantedMs: number): Promise<Held> => {
    pending ??= transport
      .within((call) => extend(call, wantedMs))
      .finally(() => {
        pending = undefined;
      });
    return pending;
  };

  const current = async (call: Call): Promise<Held> => {
    if (held && held.until > env.monotonic()) return held;
    return abortable(refresh(0), call.signal);
  };

  return {
    conceal: (text) => hide.text(text),
    async send(call, request) {
      const used = await current(call);
      const answer = await transport.send(call, { ...request, token: used.token });
      if (answer.status !== 403 || (await lives(transport, call, used.token))) return answer;
      if (held === used) held = undefined;
      if (auth.method === 'token') throw tokenRefused(tokenFix);
      return transport.send(call, { ...request, token: (await current(call)).token });
    },
    async liveFor(call, ms) {
      // A little more: what hangs on the token must not see its end.
      const wantedMs = ms + 5 * marginMs;
      let now = await current(call);
      if (now.until - env.monotonic() < wantedMs) now = await abortable(refresh(wantedMs), call.signal);
      return now.until - env.monotonic();
    },
    async leave() {
      const token = auth.method === 'approle' ? held?.token : undefined;
      held = undefined;
      const request = { method: 'POST', path: 'auth/token/revoke-self' } as const;
      // It ends by itself soon; nobody waits for a server that is gone.
      if (token) await transport.within((call) => transport.send(call, { ...request, token })).catch(() => undefined);
    },
    [Symbol.dispose]() {
      timer?.[Symbol.dispose]();
    },
  };
}

const tokenFix = 'Log in to Vault again (vault login) and give the new token in VAULT_TOKEN or in the token file.';

/** Vault writes 0 for a token without an end. */
function lifeOf(ttlSeconds: number): number {
  return ttlSeconds === 0 ? Number.POSITIVE_INFINITY : ttlSeconds * 1000;
}

async function lookUp(transport: Transport, call: Call, token: Secret) {
  const path = 'auth/token/lookup-self';
  const answer = await transport.send(call, { method: 'GET', path, token });
  if (answer.status === 403 || answer.status === 400) throw tokenRefused(tokenFix);
  // This path is in every namespace there is.
  if (answer.status === 404) throw nowhere('auth/token');
  const found = lookupAnswer.safeParse(answer.json);
  if (answer.status !== 200 || !found.success) throw await unusable(transport, call, path, answer);
  if (found.data.data.type === 'batch') throw batchToken();
  return found.data.data;
}

async function logIn(transport: Transport, call: Call, mount: string, body: JsonObject) {
  const path = `auth/${mount}/login`;
  const answer = await transport.send(call, { method: 'POST', path, body });
  if (answer.status === 400 || answer.status === 403) {
    throw unavailable('token', {
      what: `Vault refused the AppRole login at auth/${mount}.`,
      why: 'The role id or the secret id is wrong, expired or used up, or the identity is disabled.',
      fix: 'Give a new secret id in AGOV_VAULT_SECRET_ID or in the file of secrets.vault.auth.secretIdFile.',
    });
  }
  if (answer.status === 404) throw nowhere(`auth/${mount}`);
  const found = await authOf(transport, call, path, answer);
  if (found.token_type === 'batch') throw batchToken();
  return found;
}

async function authOf(transport: Transport, call: Call, path: string, answer: Answer) {
  const found = authAnswer.safeParse(answer.json);
  if (answer.status !== 200 || !found.success) throw await unusable(transport, call, path, answer);
  return found.data.auth;
}

async function lives(transport: Transport, call: Call, token: Secret): Promise<boolean> {
  return (await transport.send(call, { method: 'GET', path: 'auth/token/lookup-self', token })).status !== 403;
}

function nowhere(path: string): AgovError {
  return unavailable('namespace', {
    what: `Vault has no ${path} there.`,
    why: 'The namespace or the mount of the login method does not exist.',
    fix: 'Check secrets.vault.namespace and secrets.vault.auth in agov.yaml (vault namespace list, vault auth list).',
  });
}

function batchToken(): AgovError {
  return unavailable('token', {
    what: 'The token is a batch token.',
    why: 'It can neither be revoked nor have leases that end with it.',
    fix: 'Give a service token: token_type=service on the role.',
  });
}

/** `promise`, or the signal's reason when that comes first. */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
