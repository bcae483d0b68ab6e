/** One connection, logged in. It never reconnects and never queues: what becomes of a lost one is the link's to say. */
import { isIP } from 'node:net';
import { Redis } from 'ioredis';
import { AgovError, messageOf } from '../../../../kernel/index.ts';
import type { Address } from './address.ts';
import { type Faults, isProtocolError, isReply } from './faults.ts';

export interface Connection {
  call(command: string, args: readonly (string | number)[]): Promise<unknown>;
  /** Why the socket went, where the system or the parser has said so. */
  lost(): unknown;
  readonly closed: Promise<void>;
  close(): void;
}

export interface ConnectOptions {
  readonly address: Address;
  /** PEM of the authorities to trust instead of the system's. */
  readonly ca: string | undefined;
  readonly timeoutMs: number;
  readonly faults: Faults;
}

/** @throws AgovError STATE_UNAVAILABLE; `signal` gives up at once */
export async function connect(options: ConnectOptions, signal: AbortSignal): Promise<Connection> {
  const { address, ca, timeoutMs, faults } = options;
  const redis = new Redis({
    host: address.host,
    port: address.port,
    connectTimeout: timeoutMs,
    lazyConnect: true,
    retryStrategy: null,
    // Nobody waits for what is still under way on a connection that is let go.
    disconnectTimeout: 1,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // INFO and CLIENT would be two more permissions to ask for; LOADING is told by the first command as well.
    enableReadyCheck: false,
    disableClientInfo: true,
    protocol: 2,
    ...(address.tls
      ? { tls: { ...(ca === undefined ? {} : { ca }), ...(isIP(address.host) ? {} : { servername: address.host }) } }
      : {}),
  });
  let lost: unknown;
  redis.on('error', (error) => {
    lost ??= error;
  });
  const closed = new Promise<void>((resolve) => redis.once('end', () => resolve()));
  const close = (): void => {
    // On a connection that has gone, the client would start a timer that keeps the process alive.
    if (redis.status !== 'end') redis.disconnect();
  };
  signal.addEventListener('abort', close, { once: true });
  try {
    await redis.connect();
    await login(redis, address, faults);
  } catch (error) {
    close();
    throw error instanceof AgovError ? error : faults.connection(lost ?? error);
  } finally {
    signal.removeEventListener('abort', close);
  }
  return { call: (command, args) => redis.call(command, ...args), lost: () => lost, closed, close };
}

/** By our own AUTH, since the client prints a warning where the server asks for no password. */
async function login(redis: Redis, { username, password }: Address, faults: Faults): Promise<void> {
  if (!password) return;
  const args = username === undefined ? [password.reveal()] : [username, password.reveal()];
  let reply: unknown;
  try {
    reply = await redis.call('AUTH', ...args);
  } catch (error) {
    if (isReply(error)) throw faults.login(error);
    // Not the error itself: it carries the command's arguments.
    throw isProtocolError(error) ? faults.notRedis() : faults.connection(new Error(messageOf(error)));
  }
  if (reply !== 'OK') throw faults.notRedis();
}
