import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttp, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcp, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeEnv } from '../../../test/support/fake-env.ts';
import { systemEnv } from '../../kernel/index.ts';
import { addressOf, isPrivate } from './addresses.ts';
import { absoluteTarget, connectTarget } from './endpoint.ts';
import {
  type EgressOptions,
  type EgressOutcome,
  type EgressProxy,
  type EgressRequest,
  startEgressProxy,
} from './index.ts';

let folder = '';
let socketPath = '';
let stack: AsyncDisposableStack;
let asked: EgressRequest[] = [];
let outcomes: EgressOutcome[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agov-egress-'));
  socketPath = join(folder, 's');
  stack = new AsyncDisposableStack();
  asked = [];
  outcomes = [];
});
afterEach(async () => {
  await stack.disposeAsync();
  rmSync(folder, { recursive: true });
});

async function start(options: Partial<EgressOptions> = {}): Promise<EgressProxy> {
  const proxy = await startEgressProxy({
    socketPath,
    env: systemEnv(),
    authorize: async (request) => {
      asked.push(request);
      const allow = !request.host.startsWith('denied');
      return { allow, reason: `no rule for ${request.host}`, end: async (outcome) => void outcomes.push(outcome) };
    },
    ...options,
  });
  return stack.use(proxy);
}

async function listening(server: Server | TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stack.defer(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return (server.address() as AddressInfo).port; // listening on TCP
}

const exact = (path: string, method = 'GET', headers: Record<string, string | string[]> = {}, body?: string) =>
  new Promise<{ status: number | undefined; body: string; headers: IncomingMessage['headers'] }>((resolve, reject) => {
    const request = httpRequest({ socketPath, path, method, headers, agent: false }, async (response) => {
      resolve({ status: response.statusCode, body: await text(response), headers: response.headers });
    });
    request.on('error', reject).end(body);
  });

/** Sends raw bytes and gives back all that comes. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(socketPath, () => socket.write(bytes));
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', () => resolve(answer));
    socket.on('end', () => socket.end());
  });
}

describe('a plain request', () => {
  it('is written anew: the authorised host, no proxy headers, body and answer as they were', async () => {
    const seen: { url: string | undefined; headers: string[]; body: string }[] = [];
    const server = createHttp(async (request, response) => {
      seen.push({ url: request.url, headers: request.rawHeaders, body: await text(request) });
      response.writeHead(201, {
        'set-cookie': ['a=1', 'b=2'],
        connection: 'x-private',
        'x-private': '1',
        'x-own': 'y',
      });
      response.end('answer');
    });
    const port = await listening(server);
    await start();
    const answer = await exact(
      `http://127.0.0.1:${port}/a/../b?q=1#f`,
      'POST',
      { host: 'other.example', 'proxy-authorization': 'Basic x', connection: 'x-drop', 'x-drop': '1', 'x-keep': '2' },
      'body',
    );
    expect(answer).toMatchObject({ status: 201, body: 'answer' });
    expect(answer.headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-own': 'y' });
    expect(answer.headers).not.toHaveProperty('x-private');
    expect(seen[0]).toMatchObject({ url: '/b?q=1', body: 'body' });
    const headers = seen[0]?.headers.map((header) => header.toLowerCase()).join('\n');
    expect(headers).toContain(`host\n127.0.0.1:${port}`);
    expect(headers).toContain('x-keep');
    expect(headers).not.toMatch(/other\.example|proxy-authorization|x-drop/);
    expect(asked).toEqual([{ host: '127.0.0.1', port, method: 'POST' }]);
    expect(outcomes).toEqual([{ bytesIn: 6, bytesOut: 4 }]);
  });

  it('is refused with the reason, and nothing leaves', async () => {
    await start();
    expect(await exact('http://denied.example/x')).toMatchObject({ status: 403, body: 'no rule for denied.example\n' });
    expect(outcomes).toEqual([]);
  });

  it('is refused when nobody can decide', async () => {
    await start({ authorize: () => Promise.reject(new Error('TOP-SECRET')) });
    const answer = await exact('http://a.example/');
    expect(answer.status).toBe(503);
    expect(answer.body).not.toContain('TOP-SECRET');
  });

  it('must be absolute and plain', async () => {
    await start();
    for (const path of [
      '/relative',
      'https://a.example/',
      'http://user:pw@a.example/',
      'ftp://a.example/',
      'http://',
    ]) {
      expect((await exact(path)).status, path).toBe(400);
    }
    expect(asked).toEqual([]);
  });

  it('says when the host does not answer', async () => {
    const port = await listening(createTcp((socket) => socket.destroy()));
    await start();
    expect((await exact(`http://127.0.0.1:${port}/`)).status).toBe(502);
    expect(outcomes).toMatchObject([{ bytesIn: 0, error: expect.any(String) }]);
  });

  it('cannot smuggle a second one', async () => {
    const seen: string[] = [];
    const port = await listening(
      createHttp((request, response) => {
        seen.push(request.url ?? '');
        response.end('ok');
      }),
    );
    await start();
    const url = `http://127.0.0.1:${port}`;
    const inner = `GET ${url}/inner HTTP/1.1\r\nHost: denied.example\r\n\r\n`;
    await raw(
      `POST ${url}/both HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
    );
    await raw(`GET ${url}/a HTTP/1.1\r\nHost: a\r\nX: b\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n`);
    await raw(`GET ${url}/a b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    await raw(`GET ${url}/ HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(seen).toEqual([]);
    // Two on one connection are two requests, each asked about.
    await raw(
      `GET ${url}/1 HTTP/1.1\r\nHost: a\r\n\r\nGET http://denied.example/2 HTTP/1.1\r\nHost: ${url}\r\nConnection: close\r\n\r\n`,
    );
    expect(seen).toEqual(['/1']);
    expect(asked.map(({ host }) => host)).toEqual(['127.0.0.1', 'denied.example']);
  });
});

describe('a tunnel', () => {
  const echo = (): TcpServer =>
    createTcp({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket));

  it('carries bytes both ways, half-closed too, and counts them', async () => {
    const port = await listening(echo());
    await start();
    const answer = await new Promise<string>((resolve) => {
      let all = '';
      const socket = connect({ path: socketPath, allowHalfOpen: true }, () => {
        socket.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: x\r\n\r\nearly `);
      });
      socket.on('data', (chunk) => {
        all += chunk;
        if (all.endsWith('early ')) socket.end('late');
      });
      socket.on('end', () => resolve(all));
    });
    expect(answer).toBe('HTTP/1.1 200 Connection Established\r\n\r\nearly late');
    await stack.disposeAsync();
    expect(asked).toEqual([{ host: '127.0.0.1', port, method: 'CONNECT' }]);
    expect(outcomes).toEqual([{ bytesIn: 10, bytesOut: 10 }]);
  });

  it('is refused with the reason', async () => {
    await start();
    const answer = await raw('CONNECT denied.example:443 HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 403 /);
    expect(answer).toContain('no rule for denied.example');
    expect(await raw('CONNECT denied.example HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
  });

  it('ends with an answer when the host refuses it', async () => {
    const server = echo();
    const port = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    await start();
    expect(await raw(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: x\r\n\r\n`)).toMatch(/^HTTP\/1.1 502 /);
    await stack.disposeAsync();
    expect(outcomes).toMatchObject([{ bytesIn: 0, bytesOut: 0, error: expect.stringContaining('ECONNREFUSED') }]);
  });

  const opened = (port: number): Promise<{ closed: Promise<void> }> =>
    new Promise((resolve) => {
      const socket = connect(socketPath, () => socket.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: x\r\n\r\n`));
      const closed = new Promise<void>((done) => socket.on('error', () => {}).on('close', () => done()));
      socket.once('data', () => resolve({ closed }));
    });

  it('is cut when it has been silent for too long', async () => {
    const env = fakeEnv();
    const port = await listening(echo());
    await start({ env, limits: { connectMs: 1_000, idleMs: 5_000 } });
    const { closed } = await opened(port);
    env.advance(5_000);
    env.advance(5_000);
    await closed;
    await stack.disposeAsync();
    expect(outcomes).toMatchObject([{ error: 'Nothing passed for too long.' }]);
  });

  it('is cut when the governor says so', async () => {
    const stop = new AbortController();
    const port = await listening(echo());
    const proxy = await start({ signal: stop.signal });
    const { closed } = await opened(port);
    stop.abort();
    await closed;
    await proxy[Symbol.asyncDispose]();
    expect(outcomes).toMatchObject([{ error: 'The governor cut the connection.' }]);
    expect(await raw('GET http://a.example/ HTTP/1.1\r\n\r\n')).toBe('');
  });
});

describe('where a request leads', () => {
  it('takes a name only to public addresses', async () => {
    for (const address of [
      '127.0.0.1',
      '169.254.169.254',
      '10.1.2.3',
      '::1',
      'fd00::1',
      '::ffff:10.0.0.1',
      'fe80::1',
    ]) {
      const resolve = async () => [{ address: '93.184.216.34' }, { address }];
      expect(await addressOf('a.example', [], resolve), address).toMatchObject({ ok: false, refused: true });
      expect(await addressOf('a.example', ['a.example'], resolve)).toEqual({ ok: true, address: '93.184.216.34' });
    }
    expect(await addressOf('169.254.169.254', [])).toEqual({ ok: true, address: '169.254.169.254' });
    expect(['8.8.8.8', '2606:4700::1111', '172.15.0.1', '172.32.0.1'].filter(isPrivate)).toEqual([]);
  });

  it('answers 403 to a name that leads inside, and tells the governor', async () => {
    const port = await listening(createHttp((_request, response) => response.end('inside')));
    const resolve = async () => [{ address: '127.0.0.1' }];
    await start({ resolve });
    expect(await exact(`http://rebound.example:${port}/`)).toMatchObject({ status: 403 });
    expect(outcomes).toMatchObject([{ bytesIn: 0, error: expect.stringContaining('private') }]);
  });

  it('reads every notation of a host as one', () => {
    expect(connectTarget('Example.COM.:443')).toEqual({ host: 'example.com', port: 443 });
    expect(connectTarget('0x7f.1:80')).toEqual({ host: '127.0.0.1', port: 80 });
    expect(connectTarget('2130706433:80')).toEqual({ host: '127.0.0.1', port: 80 });
    expect(connectTarget('[::FFFF:127.0.0.1]:80')).toEqual({ host: '::ffff:7f00:1', port: 80 });
    expect(absoluteTarget('HTTP://127.1/x')).toMatchObject({ host: '127.0.0.1', port: 80 });
    for (const bad of ['a', 'a:', 'a:0', 'a:65536', 'u@a:1', 'a/b:1', 'a:1:2', 'a b:1', '[::1:80', 'a\\b:1', ':80']) {
      expect(connectTarget(bad), bad).toBeUndefined();
    }
  });
});

describe('the socket', () => {
  it('is for its owner only, replaces a dead one, and spares a live one and a file', async () => {
    const dying = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    expect(spawnSync(process.execPath, ['-e', dying, socketPath]).signal).toBe('SIGKILL');
    expect(statSync(socketPath).isSocket()).toBe(true);
    await start();
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    await expect(start()).rejects.toMatchObject({ code: 'CONFLICT' });
    const other = join(folder, 'file');
    writeFileSync(other, '');
    await expect(start({ socketPath: other })).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(start({ socketPath: join(folder, 'x'.repeat(108)) })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});
