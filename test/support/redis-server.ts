/** A redis-server of the test's own: a free port on loopback, a private folder, users that see one hash tag alone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { Secret } from '../../src/kernel/index.ts';

export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  /** A connection that may do everything. */
  admin(password?: string): Redis;
  /** A user who has the commands of docs/guide/shared-state.md and the keys of `tag`, and nothing else. */
  user(tag: string, extra?: readonly string[]): Promise<{ readonly name: string; readonly password: Secret }>;
  kill(): Promise<void>;
  start(): Promise<void>;
}

export const redisPassword = 'correct horse battery staple';
export const stateCommands =
  '+auth +eval +evalsha +xread +time +get +set +del +pexpireat +hget +hset +hdel +hmget +hexists +hvals +hgetall +zadd +zrem +zrangebylex +zrangebyscore +xadd +xrange +xrevrange';

/** What the queue needs besides. */
export const queueCommands =
  '+exists +incr +pexpire +pttl +persist +rename +bzpopmin +zpopmin +zcard +zrange +zrevrange +zrevrangebyscore +zscore +zremrangebyscore +zremrangebyrank +lpush +rpush +llen +lrem +lrange +ltrim +rpoplpush +sadd +srem +scard +smembers +hmset +hincrby +xtrim';

export async function redisServer(options: readonly string[] = []): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'agov-redis-'));
  const port = await freePort();
  const admins = new Set<Redis>();
  const users = new Map<string, readonly string[]>();
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const fixed = ['--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
    const own = spawn('redis-server', ['--port', String(port), ...fixed, ...options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child = own;
    await ready(own);
    // A restarted server knows nobody.
    for (const rules of users.values()) await server.admin().call('ACL', 'SETUSER', ...rules);
  };
  const kill = async (): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };

  const server: RedisServer = {
    port,
    start,
    kill,
    admin(password) {
      const login = password === undefined ? {} : { password };
      const redis = new Redis({ port, host: '127.0.0.1', protocol: 2, disableClientInfo: true, ...login });
      redis.on('error', () => undefined);
      admins.add(redis);
      return redis;
    },
    async user(tag, extra = []) {
      const name = `user-${tag.replaceAll(':', '-')}`;
      const rules = [name, 'on', `>${redisPassword}`, 'resetkeys', `~{${tag}}:*`, 'resetchannels', '-@all'];
      users.set(name, [...rules, ...stateCommands.split(' '), ...extra]);
      const admin = server.admin();
      await admin.call('ACL', 'SETUSER', ...(users.get(name) ?? []));
      admin.disconnect();
      return { name, password: new Secret(redisPassword) };
    },
    async [Symbol.asyncDispose]() {
      for (const admin of admins) admin.disconnect();
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await start();
  return server;
}

async function ready(child: ChildProcess): Promise<void> {
  if (!child.stdout) throw new Error('no standard output');
  const said: string[] = [];
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    said.push(line);
    if (/Ready to accept connections/.test(line)) {
      child.stdout.resume();
      return;
    }
  }
  throw new Error(`redis-server did not start: ${said.join('\n')}`);
}

export async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  listener.close();
  await once(listener, 'close');
  return address.port;
}
