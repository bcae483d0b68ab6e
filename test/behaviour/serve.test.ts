/** `agov serve` as an operator and a supervisor meet it: one a project, asked over its socket, stopped by a signal. */
import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { type RequestOptions, request } from 'node:http';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServeStatus } from '../../src/runtime/housekeeping/index.ts';
import { must, type Started, type TestProject, testProject } from '../support/cli.ts';
import { datagrams } from '../support/datagrams.ts';
import { describeWith } from '../support/needs.ts';
import { redisServer } from '../support/redis-server.ts';

let project: TestProject;
let serving: Started | undefined;
beforeEach(async () => {
  project = await testProject({ builder: 'T1' });
});
afterEach(async () => {
  serving?.child.kill('SIGKILL');
  await serving?.done;
  serving = undefined;
  project[Symbol.dispose]();
});

const configure = (serve: string): void => appendFileSync(join(project.root, 'agov.yaml'), `serve: ${serve}\n`);
const socket = (): string => join(project.root, '.agov', 'serve.sock');

async function serve(options: Parameters<TestProject['start']>[1] = {}): Promise<Started> {
  serving = project.start(['serve'], options);
  await serving.printed('ready');
  return serving;
}

interface Reply {
  readonly status: number;
  readonly body: string;
}

function ask(path: string, to: RequestOptions = { socketPath: socket() }): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const asked = request({ headers: { host: 'localhost' }, ...to, path }, (response) => {
      void text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** Asks until `fits`: what is awaited happens at the pace that the test has configured. */
async function until<T>(look: () => Promise<T>, fits: (found: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries++) {
    const found = await look();
    if (fits(found) || tries > 400) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
const status = async (): Promise<ServeStatus> => JSON.parse((await ask('/status')).body);
const looked = () => until(status, ({ health }) => health !== undefined);

it('keeps house: settles what a killed governor left, ends at a signal, and leaves nothing behind', async () => {
  configure('{ every: 200ms }');
  const started = await serve();
  const run = project.start(['run', '--agent', 'builder', '--', 'sh', '-c', 'echo up; sleep 60'], {
    env: { AGOV_SANDBOX: 'none' },
  });
  await run.printed('up');
  run.child.kill('SIGKILL');
  await started.printed('settled as unknown');
  const outcome = (await project.entries()).find(({ kind }) => kind === 'outcome');
  expect(outcome?.body['status']).toBe('unknown');
  started.child.kill('SIGTERM');
  const ended = await started.done;
  expect(ended).toMatchObject({ code: 0, signal: null });
  expect(ended.stdout).toContain('serve stopping: SIGTERM');
  expect([existsSync(socket()), existsSync(join(project.root, '.agov', 'serve.json'))]).toEqual([false, false]);
});

it('is one a project, and says who it is', async () => {
  const { child } = await serve();
  const second = await project.agov('serve');
  expect([second.code, second.stdout]).toEqual([73, '']);
  expect(second.stderr).toContain(`Process ${child.pid} on `);
  child.kill('SIGKILL');
  await serving?.done;
  const asked = await project.agov('serve', '--status');
  expect(asked.code).toBe(66);
  expect(asked.stderr).toContain('does not answer at');
  // Neither the lock nor the socket of the dead one is in the way.
  await serve();
  await looked();
  expect((await must(project.agov('doctor'))).stdout).toMatch(/ok +serve +process \d+, breakers: none/);
});

it('tells health, readiness and figures, to GET alone, and nothing else', async () => {
  await serve();
  await looked();
  expect(await ask('/healthz')).toEqual({ status: 200, body: '{"alive":true}\n' });
  expect(await ask('/readyz')).toEqual({ status: 200, body: '{"ready":true,"reasons":[]}\n' });
  const { health, chores, ready } = await status();
  expect(ready).toBe(true);
  expect(health?.probes.map(({ probe }) => probe)).toContain('ledger');
  expect(chores.map(({ name }) => name)).toEqual([
    'roster',
    'kills',
    'intents',
    'approvals',
    'leases',
    'head',
    'memory',
    'health',
  ]);
  expect((await ask('/other')).status).toBe(404);
  expect((await ask('/status', { socketPath: socket(), method: 'POST' })).status).toBe(405);
  expect((await ask(`/${'x'.repeat(8000)}`)).status).toBe(431);
  expect((await must(project.agov('serve', '--status'))).stdout).toMatch(/^ready, process \d+/);
});

it('is not ready, with the reason, when nothing could be decided', async () => {
  writeFileSync(join(project.root, 'policies', 'example.cedar'), 'permit (');
  await serve();
  await looked();
  const { status: code, body } = await ask('/readyz');
  expect(code).toBe(503);
  expect(JSON.parse(body).reasons[0]).toMatch(/^policy: /);
  expect((await project.agov('serve', '--status')).code).toBe(1);
});

describe('settings', () => {
  it('listen: a port of this machine, which a name that was turned to it does not open', async () => {
    configure("{ listen: '127.0.0.1:0' }");
    await serve();
    const { address }: { address: string } = JSON.parse(
      readFileSync(join(project.root, '.agov', 'serve.json'), 'utf8'),
    );
    const to = { host: '127.0.0.1', port: Number(address.split(':')[1]) };
    expect((await ask('/healthz', to)).status).toBe(200);
    expect((await ask('/status', { ...to, headers: { host: 'rebound.example' } })).status).toBe(403);
    expect((await project.agov('serve', '--status', '--json')).stdout).toContain('"ready"');
  });

  it.each(['0.0.0.0:80', 'relative/path', 'example.com:80'])('listen refuses %s', async (listen) => {
    configure(`{ listen: '${listen}' }`);
    expect(await project.agov('serve')).toMatchObject({ code: 78, stderr: expect.stringContaining('127.0.0.1:PORT') });
  });

  it('every and healthEvery: the pace of the chores, and of the looks', async () => {
    configure('{ every: 50ms, healthEvery: 1h }');
    await serve();
    const later = await until(status, ({ chores }) => (chores.find(({ name }) => name === 'intents')?.runs ?? 0) > 3);
    expect(later.chores.find(({ name }) => name === 'intents')?.runs).toBeGreaterThan(3);
    expect(later.chores.find(({ name }) => name === 'health')?.runs).toBeLessThanOrEqual(1);
  });

  it('memory.gcEvery: how soon what has expired in the memory is gone; where there is none, none is made', async () => {
    appendFileSync(join(project.root, 'agov.yaml'), 'memory: { gcEvery: 50ms }\n');
    await serve();
    await until(status, ({ chores }) => (chores.find(({ name }) => name === 'memory')?.runs ?? 0) > 1);
    expect(existsSync(join(project.root, '.agov', 'memory.db'))).toBe(false);
    await must(project.agovWith('walnut\n', 'memory', 'log', '--ttl', '1ms'));
    const kept = JSON.parse((await must(project.agovWith('hazel\n', 'memory', 'log', '--json'))).stdout);
    const { chores } = await until(status, (now) => now.chores.some(({ name, did }) => name === 'memory' && did));
    expect(chores.find(({ name }) => name === 'memory')?.did).toContain('1 expired');
    const listed = JSON.parse((await must(project.agov('memory', 'list', '--json'))).stdout);
    expect(listed.entries.map(({ id }: { id: string }) => id)).toEqual([kept.id]);
  });

  it('drain: how long what hangs is waited for', async () => {
    await using hanging = await silence();
    configure(`{ drain: 300ms }\nstate: { url: 'redis://127.0.0.1:${hanging.port}', deadline: 60s }`);
    const { child, done } = await serve();
    const began = performance.now();
    child.kill('SIGTERM');
    expect((await done).code).toBe(0);
    expect(performance.now() - began).toBeLessThan(8000);
    expect(performance.now() - began).toBeGreaterThan(250);
  });

  it('publish: a folder with the log, written anew when there is something new', async () => {
    const folder = join(project.root, '..', 'published');
    configure(`{ publish: { folder: ${folder}, every: 50ms } }`);
    const started = await serve();
    await started.printed('1 entries published');
    await must(project.agov('agent', 'add', 'second', '--tier', 'T0'));
    await started.printed('2 entries published');
    expect(readFileSync(join(folder, 'checkpoint'), 'utf8')).toContain('\n2\n');
  });

  it.each([
    ['the project', ''],
    ['a folder of it that is still to be made', '/public/log'],
    ['a folder behind a link into it', '/../out/log'],
  ])('publish: not into %s', async (_what, path) => {
    symlinkSync(project.root, join(project.root, '..', 'out'));
    const folder = `${project.root}${path}`;
    configure(`{ publish: { folder: ${folder} } }`);
    const refused = await project.agov('serve');
    expect([refused.code, refused.stderr]).toEqual([
      78,
      expect.stringMatching(
        /serve\.publish\.folder .* lies inside the project\..*Agents work there.*Name a folder outside/s,
      ),
    ]);
    expect(existsSync(join(project.root, 'public'))).toBe(false);
  });
});

/** Takes connections and never says a word. */
async function silence(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer().listen(0, '127.0.0.1');
  const open = new Set<Socket>();
  server.on('connection', (connection) => open.add(connection.on('error', () => undefined)));
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port, // it listens on TCP
    async [Symbol.asyncDispose]() {
      for (const connection of open) connection.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

it('takes what a client sends in small measure: a request that never ends holds nothing up', async () => {
  await serve();
  const idle = Array.from({ length: 40 }, () => createConnection(socket()).on('error', () => undefined));
  await Promise.all(idle.slice(0, 32).map((connection) => once(connection, 'connect')));
  for (const connection of idle) connection.destroy();
  expect(
    (
      await until(
        () => ask('/healthz').catch(() => undefined),
        (reply) => reply !== undefined,
      )
    )?.status,
  ).toBe(200);
});

describeWith('systemd-notify perl', 'systemd', () => {
  it('is told when it is ready, that it lives, and when it stops', async () => {
    const path = join(project.root, '..', 'notify');
    await using told = await datagrams(path);
    const { child } = await serve({ env: { NOTIFY_SOCKET: path, WATCHDOG_USEC: '400000' } });
    expect(await told.next('READY=1')).toContain('STATUS=Keeps house for');
    await told.next('WATCHDOG=1');
    await told.next('WATCHDOG=1');
    child.kill('SIGTERM');
    await told.next('STOPPING=1');
  });

  it('that does not listen keeps nobody from keeping house', async () => {
    const started = await serve({ env: { NOTIFY_SOCKET: join(project.root, 'nowhere') } });
    await started.printed('systemd cannot be told');
    expect((await ask('/healthz')).status).toBe(200);
  });
});

describeWith('redis-server', 'a state server that goes away and comes back empty', () => {
  it('is told while it is away, and filled again by itself, revocations first', async () => {
    await using server = await redisServer();
    project.environment['AGOV_STATE_URL'] = `redis://127.0.0.1:${server.port}`;
    await must(project.agov('agent', 'add', 'second', '--tier', 'T1'));
    await must(project.agov('agent', 'revoke', 'second', '--reason', 'it lied'));
    configure('{ every: 100ms, healthEvery: 100ms }');
    const { child } = await serve();
    await until(status, ({ ready }) => ready);
    await server.kill();
    const away = await until(status, ({ breakers }) => breakers.some(({ state }) => state === 'open'));
    expect(away.breakers).toMatchObject([{ name: 'state', state: 'open', nextTryAt: expect.any(String) }]);
    expect((await ask('/readyz')).status).toBe(503);
    const doctor = await project.agov('doctor', '--json');
    expect(JSON.parse(doctor.stdout).serve.breakers).toMatchObject([{ name: 'state', state: 'open' }]);
    await server.start();
    const back = await until(status, ({ ready }) => ready);
    expect(back).toMatchObject({ ready: true, pid: child.pid });
    // Nobody but the housekeeping writes them: no command has been given since.
    const admin = server.admin();
    expect(
      await until(
        () => admin.keys('*agents'),
        (keys) => keys.length > 0,
      ),
    ).toHaveLength(1);
    const listed = JSON.parse((await must(project.agov('agent', 'list', '--json'))).stdout);
    expect(listed).toMatchObject([
      { name: 'builder', status: 'active' },
      { name: 'second', status: 'revoked' },
    ]);
  });
});
