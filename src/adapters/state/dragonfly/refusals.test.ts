/** What is wrong with a server or with what it was given: each is named, with its remedy, and no secret is repeated. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.ts';
import { freePort, type RedisServer, redisPassword, redisServer } from '../../../../test/support/redis-server.ts';
import { type AgovError, isAgovError, Secret, systemEnv } from '../../../kernel/index.ts';
import { type DragonflyStateOptions, openDragonflyState } from './index.ts';

const env = systemEnv();
const password = new Secret(redisPassword);

/** The error of opening and using state; fails if there is none, or if it repeats the password. */
async function refusal(options: Omit<DragonflyStateOptions, 'env'>): Promise<AgovError> {
  const error = await openDragonflyState({ env, deadlineMs: 1500, ...options }).then(
    async (state) => {
      await state[Symbol.asyncDispose]();
      throw new Error('it opened');
    },
    (refused: unknown) => refused,
  );
  if (!isAgovError(error)) throw error;
  expect(error.fix).toBeTruthy();
  expect(inspect(error, { depth: 9 }) + JSON.stringify(error)).not.toContain(redisPassword);
  return error;
}

describe('what is wrong with the address', () => {
  it.each([
    ['localhost:6379', 'redis://HOST:PORT'],
    ['http://localhost', 'redis://HOST:PORT'],
    [`redis://agov:${redisPassword.replaceAll(' ', '-')}@localhost`, 'AGOV_STATE_PASSWORD'],
    ['redis://localhost/3', 'database 0'],
    ['redis://agov@localhost', 'AGOV_STATE_PASSWORD'],
  ])('%s is refused as it stands', async (url, fix) => {
    const error = await refusal({ url });
    expect([error.code, error.fix]).toEqual(['CONFIG_INVALID', expect.stringContaining(fix)]);
    expect(error.message).not.toContain('correct');
  });

  it('names a port at which nobody listens, and a host that does not exist', async () => {
    const port = await freePort();
    const url = `redis://127.0.0.1:${port}`;
    expect((await refusal({ url })).message).toContain(`127.0.0.1:${port} refuses connections. Check state.url`);
    const unknown = await refusal({ url: 'redis://no-such-host.invalid' });
    expect(unknown.message).toMatch(/name that (does not resolve|DNS does not resolve at present)|did not answer/);
  });
});

describe('a server of another kind', () => {
  let server: Server;
  const sockets = new Set<Socket>();
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  /** Answers each chunk with `reply`; the URL at which it does. */
  async function answering(reply: string | ((asked: string) => string)): Promise<string> {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => socket.write(typeof reply === 'string' ? reply : reply(String(chunk))));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return `redis://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }

  it.each([
    ['that speaks HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'does not speak the Redis protocol', 'state.url'],
    ['that agrees to everything', '+OK\r\n', 'does not speak the Redis protocol', 'state.url'],
    ['that loads', '-LOADING Redis is loading the dataset in memory\r\n', 'still loading', 'Wait'],
    ['of a cluster', '-MOVED 3999 10.0.0.1:6381\r\n', 'one node of a cluster', 'one server'],
    ['without hash tags', "-CROSSSLOT Keys in request don't hash to the same slot\r\n", 'cluster', 'one server'],
    ['that is full', "-OOM command not allowed when used memory > 'maxmemory'.\r\n", 'no memory', 'limit'],
    ['that knows no scripts', "-ERR unknown command 'EVALSHA'\r\n", 'refuses probe', 'version 6'],
  ])('%s', async (_name, reply, what, fix) => {
    const error = await refusal({ url: await answering(reply) });
    expect([error.code, error.message, error.fix]).toEqual([
      'STATE_UNAVAILABLE',
      expect.stringContaining(what),
      expect.stringContaining(fix),
    ]);
  });

  it('that repeats the password in its answer', async () => {
    const url = await answering(
      (asked) => `-ERR unknown command, with args beginning with: ${asked.replace(/\s+/g, ' ')}\r\n`,
    );
    expect((await refusal({ url, password })).what).toContain('refuses the login');
  });
});

describeWith('redis-server', 'a server that refuses', () => {
  let server: RedisServer;
  let url: string;
  beforeAll(async () => {
    server = await redisServer(['--requirepass', redisPassword]);
    url = `redis://127.0.0.1:${server.port}`;
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('that demands a password, gets a wrong one, or none is set', async () => {
    expect((await refusal({ url })).message).toMatch(/demands a password.*AGOV_STATE_PASSWORD/);
    const wrong = new Secret('wrong');
    expect((await refusal({ url, password: wrong })).message).toMatch(/refuses the user name or the password/);
    const nobody = url.replace('//', '//nobody@');
    expect((await refusal({ url: nobody, password })).message).toMatch(/refuses the user name or the password/);
    await using open = await redisServer();
    const asks = await refusal({ url: `redis://127.0.0.1:${open.port}`, password });
    expect(asks.message).toMatch(/asks for no password.*unset AGOV_STATE_PASSWORD/);
  });
});

describeWith('redis-server', 'a user who may not', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await redisServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const open = async (tag: string, less: readonly string[]) => {
    const user = await server.user(tag, less);
    return { url: `redis://${user.name}@127.0.0.1:${server.port}`, password: user.password, tag };
  };

  it('use a command: it is named, inside a script with all that the script needs', async () => {
    expect((await refusal(await open('c1', ['-evalsha']))).message).toMatch(/may|let this user run evalsha.*\+evalsha/);
    await using state = await openDragonflyState({ env, ...(await open('c2', ['-hset'])) });
    await expect(state.counters.add('n', 1)).rejects.toMatchObject({
      what: expect.stringContaining('run a command of counter.add'),
      fix: expect.stringContaining('+hset'),
    });
    await using deaf = await openDragonflyState({ env, ...(await open('c3', ['-xread'])) });
    const next = deaf.events.follow(new AbortController().signal)[Symbol.asyncIterator]().next();
    await expect(next).rejects.toMatchObject({ fix: expect.stringContaining('+xread') });
  });

  it('touch the keys: the pattern is named', async () => {
    const { url } = await open('k1', []);
    const error = await refusal({ url, password, tag: 'k2' });
    expect(error.message).toContain('touch a key of probe');
    expect([error.why, error.fix]).toEqual([expect.stringContaining('{k2}:probe'), expect.stringContaining('~{k2}:*')]);
  });

  it('write, since it is a read-only replica', async () => {
    await using replica = await redisServer(['--replicaof', '127.0.0.1', String(server.port)]);
    await replica.admin().config('SET', 'replica-serve-stale-data', 'yes');
    const error = await refusal({ url: `redis://127.0.0.1:${replica.port}` });
    expect(error.message).toMatch(/is a read-only replica.*primary/);
  });

  it('use a cluster that does not hold the keys', async () => {
    await using cluster = await redisServer(['--cluster-enabled', 'yes']);
    expect((await refusal({ url: `redis://127.0.0.1:${cluster.port}` })).message).toMatch(/cluster.*Dragonfly/);
  });
});

describeWith('redis-server', 'a server with TLS', () => {
  let folder: string;
  let server: RedisServer;
  let port: number;
  const file = (name: string): string => join(folder, name);
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'agov-tls-'));
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const made = spawnSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', ...subject],
      ...['-keyout', file('key.pem'), '-out', file('cert.pem')],
    ]);
    expect(made.status, String(made.stderr)).toBe(0);
    port = await freePort();
    const files = ['--tls-cert-file', file('cert.pem'), '--tls-key-file', file('key.pem')];
    server = await redisServer([
      '--tls-port',
      String(port),
      ...files,
      '--tls-ca-cert-file',
      file('cert.pem'),
      '--tls-auth-clients',
      'no',
    ]);
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  it('is used when its certificate is trusted, by its name', async () => {
    const ca = readFileSync(file('cert.pem'), 'utf8');
    await using state = await openDragonflyState({ url: `rediss://localhost:${port}`, env, tls: { ca } });
    expect(await state.counters.add('n', 1)).toEqual({ value: 1, accepted: true });
    expect((await refusal({ url: `rediss://127.0.0.1:${port}`, tls: { ca } })).message).toContain('another name');
  });

  it('is refused when its certificate is not trusted', async () => {
    expect((await refusal({ url: `rediss://localhost:${port}` })).message).toMatch(/self-signed.*state\.ca/);
  });

  it('is told from one without, both ways', async () => {
    expect((await refusal({ url: `rediss://localhost:${server.port}` })).message).toMatch(/TLS.*redis:\/\//);
    expect((await refusal({ url: `redis://localhost:${port}` })).message).toMatch(
      /closed the connection|Redis protocol/,
    );
  });
});
