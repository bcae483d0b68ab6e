/** Connections that are made anew when they are lost, and calls that end by a deadline whatever becomes of them. */
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { Redis } from 'ioredis';
import { AgovError, type Env, isAgovError, messageOf, type Secret } from '../../../kernel/index.ts';

export interface ServerOptions {
  /** `redis://[USER@]HOST[:PORT]`, or `rediss://` for TLS; never with a password in it. */
  readonly url: string;
  readonly env: Env;
  readonly password?: Secret;
  /** PEM of the authorities to trust instead of the system's. */
  readonly tls?: { readonly ca: string };
  /** What every call ends within; 2,000 by default. */
  readonly deadlineMs?: number;
}

export interface Script {
  readonly lua: string;
  readonly sha: string;
}

export interface Server extends Disposable {
  /** For calls that do not block; shared. */
  readonly redis: Redis;
  /** Of one's own, for calls that block; the caller ends it. */
  connect(): Redis;
  /** @throws AgovError STATE_UNAVAILABLE */
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
  /** @throws AgovError STATE_UNAVAILABLE */
  within<T>(doing: Promise<T>): Promise<T>;
}

const longestPauseMs = 1000;

/** Numbers travel as text, as Lua 5.1 (Redis) and 5.4 (Dragonfly) print them differently. */
const prelude = `
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local function text(number) return string.format('%.0f', number) end
`;

/** Every key is in KEYS: Dragonfly refuses others. */
export function script(body: string): Script {
  const lua = prelude + body;
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

/** @throws AgovError CONFIG_INVALID */
export function openServer({ url, env, password, tls, deadlineMs = 2000 }: ServerOptions): Server {
  if (!URL.canParse(url)) throw badUrl();
  const { protocol, hostname, port, username } = new URL(url);
  if (!['redis:', 'rediss:'].includes(protocol) || hostname === '') throw badUrl();
  const host = hostname.replace(/^\[|\]$/g, '');
  const label = `${hostname}:${port || 6379}`;
  const connect = (): Redis => {
    const redis = new Redis({
      ...{ host, port: Number(port || 6379), protocol: 2, lazyConnect: true },
      ...(username === '' ? {} : { username: decodeURIComponent(username) }),
      ...(password ? { password: password.reveal() } : {}),
      ...(protocol === 'rediss:' ? { tls: { ...tls, ...(isIP(host) ? {} : { servername: host }) } } : {}),
      connectTimeout: deadlineMs,
      maxRetriesPerRequest: null,
      // INFO and CLIENT would be two more permissions to ask for.
      enableReadyCheck: false,
      disableClientInfo: true,
      // Nobody waits for what is still under way on a connection that is let go.
      disconnectTimeout: 1,
      retryStrategy: (times) => Math.min(longestPauseMs, 20 * 2 ** Math.min(times, 10)),
    });
    redis.on('error', () => undefined); // told by the calls, which end by their deadline
    return redis;
  };
  const redis = connect();

  const within = async <T>(doing: Promise<T>): Promise<T> => {
    doing.catch(() => undefined); // after the deadline nobody hears of it
    const late = Promise.withResolvers<never>();
    using _deadline = env.timer(() => late.reject(silent(label, deadlineMs)), deadlineMs);
    return Promise.race([doing, late.promise]).catch((error: unknown) => {
      throw faultOf(label, error);
    });
  };

  const evaluate = async ({ sha, lua }: Script, keys: readonly string[], args: readonly (string | number)[]) => {
    try {
      return await redis.call('EVALSHA', sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
      return redis.call('EVAL', lua, keys.length, ...keys, ...args);
    }
  };

  return {
    ...{ redis, connect, within },
    run: (asked, keys, args) => within(evaluate(asked, keys, args)),
    [Symbol.dispose]: () => redis.disconnect(),
  };
}

function badUrl(): AgovError {
  return new AgovError('CONFIG_INVALID', {
    what: 'The URL of the state server is not one.',
    fix: 'Write redis://HOST:PORT, or rediss://HOST:PORT for TLS.',
  });
}

function silent(label: string, deadlineMs: number): AgovError {
  return new AgovError('STATE_UNAVAILABLE', {
    what: `The state server ${label} has not answered within ${deadlineMs} ms.`,
    fix: 'Look whether it runs: agov doctor.',
  });
}

/** The client's own errors carry the arguments of the command, and AUTH's is the password: only the message is kept. */
function faultOf(label: string, error: unknown): AgovError {
  if (isAgovError(error)) return error;
  const why = messageOf(error);
  const permission = /^NOPERM|^NOAUTH|^WRONGPASS/.test(why);
  return new AgovError('STATE_UNAVAILABLE', {
    what: `The state server ${label} refuses the queue.`,
    why,
    fix: permission
      ? 'Give the user the commands that docs/guide/workers.md lists, and the password in AGOV_STATE_PASSWORD.'
      : 'See "agov doctor".',
  });
}
