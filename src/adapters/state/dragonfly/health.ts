/**
 * What a state server says of itself, asked on a connection of its own. Only its clock must be told: INFO is one more
 * permission, and where it is missing the answer is shorter.
 */
import { z } from 'zod';
import { AgovError } from '../../../kernel/index.ts';
import { parseAddress } from './connection/address.ts';
import { type Connection, connect } from './connection/connect.ts';
import { type Faults, faultsOf, isReply } from './connection/faults.ts';
import type { DragonflyStateOptions } from './open.ts';

export interface StateServerHealth {
  /** `Dragonfly df-v1.38.0`; `Redis protocol` where INFO is not permitted. */
  readonly engine: string;
  /** What outlives a crash of the server, in words. */
  readonly persistence: string;
  /** From the question to the answer, on an open connection, in milliseconds: the best of three. */
  readonly roundTripMs: number;
  /** The server's clock, milliseconds since the epoch. */
  readonly at: number;
  /** Between 0 and 1; undefined where the server has no limit or does not tell. */
  readonly memoryUsed?: number;
}

const timeReply = z.tuple([z.string().regex(/^\d+$/), z.string().regex(/^\d+$/)]).transform(([s, us]) => {
  return Number(s) * 1000 + Number(us) / 1000;
});

type Options = Pick<DragonflyStateOptions, 'url' | 'env' | 'tls' | 'password' | 'deadlineMs'>;

/** @throws AgovError CONFIG_INVALID, STATE_UNAVAILABLE */
export async function stateServerHealth(options: Options): Promise<StateServerHealth> {
  const { env, deadlineMs = 2000 } = options;
  const address = parseAddress(options.url, options.password);
  const faults = faultsOf(address);
  const over = new AbortController();
  const late = env.sleep(deadlineMs, over.signal).then(() => {
    over.abort();
    throw faults.silent();
  });
  const asked = (async () => {
    const connecting = { address, ca: options.tls?.ca, timeoutMs: deadlineMs, faults };
    const connection = await connect(connecting, over.signal);
    try {
      return await look(connection, env.monotonic, faults);
    } catch (error) {
      if (error instanceof AgovError) throw error;
      const asked = { name: 'health', commands: ['TIME'], keys: [] };
      throw isReply(error) ? faults.reply(error, asked) : faults.connection(connection.lost() ?? error);
    } finally {
      connection.close();
    }
  })();
  // Whoever loses the race is not heard any more.
  asked.catch(() => undefined);
  try {
    return await Promise.race([asked, late]);
  } finally {
    over.abort();
  }
}

async function look(connection: Connection, monotonic: () => number, faults: Faults): Promise<StateServerHealth> {
  let [at, roundTripMs] = [0, Number.POSITIVE_INFINITY];
  for (let i = 0; i < 3; i++) {
    const began = monotonic();
    const time = timeReply.safeParse(await connection.call('TIME', []));
    if (!time.success) throw faults.notRedis();
    at = time.data;
    roundTripMs = Math.min(roundTripMs, monotonic() - began);
  }
  const info = await connection.call('INFO', []).then(
    (text) => fieldsOf(String(text)),
    (error: unknown) => {
      if (isReply(error)) return undefined;
      throw error;
    },
  );
  if (!info) return { engine: 'Redis protocol', persistence: 'not told (needs +info)', roundTripMs, at };
  const [used, most] = [Number(info.get('used_memory')), Number(info.get('maxmemory'))];
  return {
    ...{ engine: engineOf(info), persistence: persistenceOf(info, at), roundTripMs, at },
    ...(most > 0 ? { memoryUsed: used / most } : {}),
  };
}

function fieldsOf(text: string): ReadonlyMap<string, string> {
  const fields = text.split(/\r?\n/).flatMap((line) => {
    const [, name, value] = /^([a-z_0-9]+):(.{0,200})$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  });
  return new Map(fields);
}

function engineOf(info: ReadonlyMap<string, string>): string {
  const dragonfly = info.get('dragonfly_version');
  if (dragonfly !== undefined) return `Dragonfly ${dragonfly}`;
  const valkey = info.get('valkey_version');
  return valkey === undefined ? `Redis ${info.get('redis_version') ?? '?'}` : `Valkey ${valkey}`;
}

/** Dragonfly tells of its snapshots under another name than Redis. */
function persistenceOf(info: ReadonlyMap<string, string>, now: number): string {
  if (info.get('aof_enabled') === '1') return 'append-only file';
  // Redis names its start as the last save, until there is one.
  if (info.get('rdb_saves') === '0') return 'no snapshot since its start';
  const saved = Number(info.get('last_success_save') ?? info.get('rdb_last_save_time') ?? 0);
  if (!(saved > 0)) return 'no snapshot yet';
  return `last snapshot ${Math.max(0, Math.round(now / 1000 - saved))} s ago`;
}
