/** Vault as this adapter asks it: answers in the shape that they must have, refusals as errors that name what is missing. */
import type { z } from 'zod';
import { type AgovError, type Env, redactor, Secret } from '../../kernel/index.ts';
import { authAnswer, capabilitiesAnswer, refusalAnswer } from './answers.ts';
import type { Answer } from './exchange/index.ts';
import { type Call, maxAttempts, openTransport, type Request, type TransportOptions } from './exchange/index.ts';
import { garbled, unavailable } from './refusals.ts';
import { type ServerHealth, serverHealth, unusable } from './server.ts';
import { openSession, type VaultAuth } from './session.ts';

/** 200 and 204 are answers; these are, where the caller says so. */
type Accepted = 400 | 403 | 404;

export interface Vault extends AsyncDisposable {
  readonly address: string;
  /** Runs `work` and ends it at the deadline. */
  within<T>(work: (call: Call) => Promise<T>): Promise<T>;
  /** With our token unless the request has its own. @throws AgovError SECRETS_UNAVAILABLE for any other answer */
  send(call: Call, request: Request, ...accepted: readonly Accepted[]): Promise<Answer>;
  ask<T>(call: Call, request: Request, shape: z.ZodType<T>): Promise<T>;
  /** A token for one read, that ends by itself after `ttlMs` at the latest; below ours, or below `parent`. */
  childToken(call: Call, ttlMs: number, meta: Readonly<Record<string, string>>, parent?: Secret): Promise<ChildToken>;
  /** Vault's own words of refusal, without any credential of ours. */
  said(answer: Answer): string;
  /**
   * Until it is disposed, something hangs on our token. Without any, a token that was got by a login here is revoked when
   * the client closes; a given one is its giver's.
   */
  lean(): Disposable;
  /** What our token may do at `path`. */
  capabilities(call: Call, path: string): Promise<readonly string[]>;
  /** What the server says of itself, asked without a token. */
  health(): Promise<ServerHealth>;
}

export interface ChildToken {
  readonly token: Secret;
  readonly accessor: string;
  readonly lifeMs: number;
}

export interface VaultOptions extends TransportOptions {
  readonly auth: VaultAuth;
  readonly env: Env;
}

const maxWhy = 300;

export function openVault(options: VaultOptions): Vault {
  const transport = openTransport(options);
  const session = openSession(transport, options.auth, options.env);
  const leaning = new Set<symbol>();

  const capabilities = async (call: Call, path: string): Promise<readonly string[]> => {
    const answer = await session.send(call, {
      method: 'POST',
      path: 'sys/capabilities-self',
      body: { paths: [path] },
    });
    const found = capabilitiesAnswer.safeParse(answer.json);
    return answer.status === 200 && found.success ? (found.data.data[path] ?? []) : [];
  };

  const said = ({ json }: Answer, request?: Request): string => {
    const refusal = refusalAnswer.safeParse(json);
    const text = refusal.success ? refusal.data.errors.join('; ') : '';
    const safe = session.conceal(request ? concealed(request, text) : text);
    return safe.replace(/\s+/g, ' ').trim().slice(0, maxWhy);
  };

  /** Asks what is authenticated and audited as anything is, and belongs to no engine: with the audit down it fails too. */
  const serves = async (call: Call): Promise<boolean> =>
    (await session.send(call, { method: 'GET', path: 'auth/token/lookup-self', once: true })).status < 500;

  const explain = async (call: Call, request: Request, answer: Answer): Promise<AgovError> => {
    const refusal = refusalAnswer.safeParse(answer.json);
    const words = said(answer, request);
    if (answer.status === 403) return underPrivileged(request, await capabilities(call, request.path));
    if ((answer.status === 400 || answer.status === 404) && refusal.success) {
      return unavailable('refused', {
        what: `Vault refused ${request.path}.`,
        why: words === '' ? 'There is nothing at this path.' : `It says: ${words}`,
        fix: 'Check the mounts, the engines and the namespace under secrets.vault in agov.yaml.',
      });
    }
    return unusable(transport, call, request.path, answer, () => serves(call));
  };

  const send: Vault['send'] = async (call, request, ...accepted) => {
    const answer = await (request.token ? transport : session).send(call, request);
    if (answer.status === 200 || answer.status === 204) return answer;
    // What a proxy answers in Vault's place is no refusal by Vault.
    const word = answer.json !== undefined && answer.json !== null;
    if (word && accepted.some((status) => status === answer.status)) return answer;
    throw await explain(call, request, answer);
  };

  const ask: Vault['ask'] = async (call, request, shape) => shaped(request.path, await send(call, request), shape);

  return {
    address: transport.address,
    within: transport.within,
    send,
    ask,
    said,
    capabilities,
    health: () => transport.within((call) => serverHealth(transport, call)),
    lean() {
      const one = Symbol('lean');
      leaning.add(one);
      return { [Symbol.dispose]: () => void leaning.delete(one) };
    },
    async childToken(call, ttlMs, meta, parent) {
      const lifeMs = parent ? ttlMs : Math.min(ttlMs, await session.liveFor(call, ttlMs));
      const body = {
        ...{ ttl: `${Math.ceil(lifeMs / 1000)}s`, renewable: true, type: 'service', display_name: 'agov-lease', meta },
        // One read, however often it must be tried; the last use would end what the token leases at once.
        num_uses: maxAttempts + 1,
      };
      const request = { method: 'POST', path: 'auth/token/create', body } as const;
      const made = await ask(call, parent ? { ...request, token: parent } : request, authAnswer);
      const { client_token, accessor, lease_duration } = made.auth;
      return { token: new Secret(client_token), accessor, lifeMs: lease_duration * 1000 };
    },
    async [Symbol.asyncDispose]() {
      if (leaning.size === 0) await session.leave();
      session[Symbol.dispose]();
      transport[Symbol.dispose]();
    },
  };
}

/** @throws AgovError SECRETS_UNAVAILABLE, which tells the places and never what stands there */
export function shaped<T>(path: string, answer: Answer, shape: z.ZodType<T>): T {
  const found = shape.safeParse(answer.json);
  if (found.success) return found.data;
  if (answer.json === undefined) throw garbled(path, 'It is not JSON.');
  const places = found.error.issues.map((issue) => issue.path.join('.') || 'all of it').join(', ');
  throw garbled(path, `It does not have the shape that it must have (${places}).`);
}

function concealed({ token, hide }: Request, text: string): string {
  return redactor([token, hide].flatMap((secret) => secret?.reveal() ?? [])).text(text);
}

const needed = {
  GET: ['read'],
  LIST: ['list'],
  POST: ['create', 'update'],
  PUT: ['update'],
  DELETE: ['delete'],
} as const;

/** Which Vault lets nobody enter without `sudo`, besides what the method needs. */
const rootProtected = /^sys\/(?:audit(?:\/.+)?|auth\/.+|leases\/revoke-(?:prefix|force)\/.+)$/;

function underPrivileged({ method, path }: Request, has: readonly string[]): AgovError {
  const verbs: readonly string[] = needed[method];
  const all = rootProtected.test(path) ? [...verbs, 'sudo'] : verbs;
  const missing = all.filter((capability) => !has.includes(capability));
  // A capability that is there and does not help: a rule of Vault's own (a mount that is not there, a CIDR, an MFA).
  const named = missing.length > 0 ? missing : verbs;
  const verb = named.filter((one) => one !== 'sudo');
  return unavailable(
    'capability',
    {
      what: `The token may not ${(verb.length > 0 ? verb : verbs).join(' or ')} ${path} in Vault${named.includes('sudo') ? ' without sudo' : ''}.`,
      why: `Its policies give it ${has.length === 0 || has.includes('deny') ? 'nothing' : has.join(', ')} there.`,
      fix: `Add to its policy: path "${path}" { capabilities = [${named.map((one) => `"${one}"`).join(', ')}] }`,
    },
    { path, capability: named },
  );
}
