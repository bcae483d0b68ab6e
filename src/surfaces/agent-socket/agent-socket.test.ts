/** The socket itself, spoken to as by a process that means harm: what is no request, too much, too slow, or too late. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestProject, testProject } from '../../../test/support/cli.ts';
import { fakeEnv } from '../../../test/support/fake-env.ts';
import { connect as connectAgent } from '../../agent-client/index.ts';
import { type App, openApp } from '../../app/index.ts';
import { systemEnv } from '../../kernel/index.ts';
import type { SocketDoor } from '../../work/agents/index.ts';
import { openAgentSocket, openApi } from './index.ts';

let project: TestProject;
let app: App;
let door: SocketDoor;
const clock = fakeEnv();
beforeAll(async () => {
  project = await testProject({ bob: 'T1', doomed: 'T1' });
  // Only the sockets' deadlines are set by timers here; everything else goes by the real clock.
  const env = { ...systemEnv(), timer: clock.timer };
  app = openApp({ from: project.root, environment: project.environment, env });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  project[Symbol.dispose]();
});
beforeEach(async () => {
  door = await open('bob');
});
afterEach(() => door[Symbol.asyncDispose]());

const open = (agent: string): Promise<SocketDoor> =>
  openAgentSocket(app, { channel: { agent, run: app.ids(), workspace: project.root }, parent: 'the-process' }, []);

/** Everything that comes back until the other side closes. */
function heard(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
    });
    socket.on('error', () => undefined); // the close that follows says enough
    socket.on('close', () => resolve(text));
  });
}

function raw(text: string | Buffer, to = door): Promise<string> {
  const socket = connect(to.path);
  const answer = heard(socket);
  socket.write(text);
  return answer;
}

function post(path: string, body: string, headers = ''): Promise<string> {
  const length = Buffer.byteLength(body);
  return raw(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n${headers}\r\n${body}`);
}

it('can be reached by its owner alone', () => {
  expect(statSync(door.path).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(door.path)).mode & 0o777).toBe(0o700);
});

it('leaves nothing behind', async () => {
  const folder = dirname(door.path);
  const waiting = heard(connect(door.path));
  await door[Symbol.asyncDispose]();
  await waiting;
  expect(existsSync(folder)).toBe(false);
  await door[Symbol.asyncDispose]();
});

it('lies where no sandbox shows it, also when the temporary folder is in the project', async () => {
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = project.root;
  const hidden = await open('bob');
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  expect(hidden.path.startsWith(`${project.root}/.agov/`)).toBe(true);
  await hidden[Symbol.asyncDispose]();
});

describe('an identity', () => {
  const claims = 'X-Agov-Agent: doomed\r\nX-Agov-Run: other\r\nAuthorization: Bearer doomed\r\nFrom: doomed\r\n';

  it('is not taken from headers', async () => {
    expect(await post('/v1/whoami', '{}', claims)).toContain('"agent":"bob","tier":"T1"');
  });

  it('is not taken from the body, and the attempt is on record', async () => {
    expect(await post('/v1/whoami', '{"agent":"doomed"}')).toContain('400 Bad Request');
    const [violation] = (await app.ledger()).query({ kinds: ['violation'], newestFirst: true, limit: 1 });
    expect(violation).toMatchObject({ agent: 'bob', body: { details: { key: 'agent', value: 'doomed' } } });
  });
});

describe('a path', () => {
  it.each([
    ...['/v1/../v1/whoami', '/v1/%77hoami', '/v1/whoami?agent=doomed', '/v1/whoami/', '//v1/whoami', '/V1/whoami'],
    ...['/v1/__proto__', '/v1/constructor', '/v1/toString', '/v1/', '/', '/v1/board/get', '/v1/..%2fwhoami', '*'],
  ])('%s leads nowhere', async (path) => {
    expect(await post(path, '{}')).toMatch(/^HTTP\/1.1 40[04] /);
  });

  it('of another method leads nowhere', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS', 'HEAD']) {
      expect(await raw(`${method} /v1/whoami HTTP/1.1\r\nHost: x\r\n\r\n`)).toContain('404 Not Found');
    }
  });
});

describe('a body', () => {
  it.each([
    ['that is no JSON', '{'],
    ['that is no object', '[]'],
    ['that is a text', '"whoami"'],
    ['with a prototype', '{"__proto__":{"agent":"doomed"}}'],
    ['with a prototype inside', '{"key":"a","value":[{"__proto__":{}}]}'],
    ['with a constructor', '{"constructor":{"prototype":{"x":1}}}'],
    ['nested without end', `${'['.repeat(500_000)}${']'.repeat(500_000)}`],
    ['nested without end in a value', `{"key":"a","value":${'['.repeat(1000)}${']'.repeat(1000)}}`],
    ['with half a character', Buffer.from([0x7b, 0x22, 0xc3, 0x22, 0x3a, 0x31, 0x7d]).toString('latin1')],
  ])('%s is refused', async (_what, body) => {
    expect(await post('/v1/board.set', body)).toContain('"code":"INPUT_INVALID"');
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('of ten megabytes is refused, whatever length it announced', async () => {
    const big = 'x'.repeat(10_000_000);
    expect(await post('/v1/whoami', big)).toContain('The body is too large.');
    const chunk = `${(100_000).toString(16)}\r\n${'x'.repeat(100_000)}\r\n`;
    const chunked = `POST /v1/whoami HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(20)}`;
    expect(await raw(`${chunked}0\r\n\r\n`)).toContain('The body is too large.');
  });

  it('of the head is bounded as well', async () => {
    expect(await post('/v1/whoami', '{}', `X-Long: ${'x'.repeat(100_000)}\r\n`)).toContain('431');
  });
});

describe('connections', () => {
  it('that send nothing, or half of a request, are cut', async () => {
    const halves = ['', 'POST /v1/whoami HT', 'POST /v1/whoami HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{'];
    const answers = halves.map((half) => {
      const socket = connect(door.path);
      const ended = heard(socket);
      if (half !== '') socket.write(half);
      return ended;
    });
    // An answered request shows that those before it are being waited for.
    await connectAgent({ socket: door.path }).whoami();
    clock.advance(10_001);
    for (const answer of await Promise.all(answers)) expect(answer).not.toContain('200 OK');
  });

  it('in thousands keep nobody else out for longer than they are there', async () => {
    const other = await open('doomed');
    const sockets: Socket[] = [];
    for (let i = 0; i < 10_000; i++) {
      const socket = connect(door.path);
      socket.on('error', () => undefined);
      sockets.push(socket);
      if (i % 500 === 499) await new Promise((resolve) => socket.once('close', resolve));
    }
    expect(sockets.filter((socket) => !socket.destroyed && socket.readyState === 'open').length).toBeLessThanOrEqual(
      64,
    );
    expect(await connectAgent({ socket: other.path }).whoami()).toMatchObject({ agent: 'doomed' });
    for (const socket of sockets) socket.destroy();
    clock.advance(10_001);
    await expect
      .poll(() =>
        connectAgent({ socket: door.path })
          .whoami()
          .catch(() => undefined),
      )
      .toMatchObject({ agent: 'bob' });
    await other[Symbol.asyncDispose]();
  });

  it('answer one request each', async () => {
    const twice = 'POST /v1/whoami HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}'.repeat(2);
    expect((await raw(twice)).match(/HTTP\/1\.1 200/g)).toHaveLength(1);
  });

  it('more than a process may have under way are told so', async () => {
    const agent = connectAgent({ socket: door.path });
    const stop = new AbortController();
    const approval = await (async () => {
      const governor = await app.governor();
      const facts = { plan: { environment: 'dev', creates: 1, changes: 0, destroys: 0 } };
      const channel = { agent: 'bob', run: app.ids(), workspace: project.root };
      const begun = await governor.begin(channel, { action: 'infra.apply', resource: 'dev', args: {} }, { facts });
      return begun.verdict === 'ask' ? begun.approval.id : '';
    })();
    const waiting = Array.from({ length: 30 }, () => agent.wait(approval, { signal: stop.signal }));
    await expect(Promise.any(waiting.map((one) => one.catch((error) => error.code)))).resolves.toBe(
      'TOO_MANY_REQUESTS',
    );
    stop.abort();
    await Promise.allSettled(waiting);
  });
});

it('refuses what comes after a kill over a connection that was open before it', async () => {
  const own = await open('doomed');
  const socket = connect(own.path);
  const answer = heard(socket);
  socket.write('POST /v1/board.set HTTP/1.1\r\nHost: x\r\nContent-Length: 23\r\n\r\n');
  await connectAgent({ socket: own.path }).whoami();
  expect((await project.agov('kill', 'doomed', '--reason', 'test')).code).toBe(0);
  socket.write('{"key":"a","value":"b"}');
  expect(await answer).toContain('"code":"AGENT_NOT_ACTIVE"');
  await own[Symbol.asyncDispose]();
});

it('describes itself, each operation with its schemas', async () => {
  const text = await raw('GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n');
  const described = JSON.parse(text.slice(text.indexOf('{"openapi"'), text.lastIndexOf('}') + 1)) as ReturnType<
    typeof openApi
  >;
  const operations = await app.operations({
    channel: { agent: 'bob', run: 'r', workspace: project.root },
    parent: 'p',
  });
  expect(described).toEqual(openApi([...operations.table.values()]));
  expect(described).toMatchObject({
    openapi: '3.1.0',
    paths: {
      '/v1/board.set': { post: { requestBody: { content: { 'application/json': { schema: { type: 'object' } } } } } },
    },
  });
  await operations[Symbol.asyncDispose]();
});

it('is made anew for each intent', async () => {
  const two = await open('bob');
  expect(two.path).not.toBe(door.path);
  expect(readdirSync(dirname(two.path))).toEqual(['socket']);
  await two[Symbol.asyncDispose]();
});
