/**
 * The one way from a sandbox to the network: an HTTP proxy on a Unix socket. Each tunnel and each plain request is
 * authorised before a single byte leaves, and its end is told with the bytes that passed.
 */
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { AgovError, messageOf, systemCode } from '../../kernel/index.ts';
import { addressOf } from './addresses.ts';
import { absoluteTarget, connectTarget } from './endpoint.ts';
import { forward } from './forward.ts';
import type {
  Authorisation,
  EgressOptions,
  EgressOutcome,
  EgressProxy,
  EgressRequest,
  Passage,
  Refusal,
} from './types.ts';
import { closed, watchIdle } from './watch.ts';

const maxConnections = 256;
const maxHeaderBytes = 16 * 1024;

/** @throws AgovError INPUT_INVALID, CONFLICT, NOT_WRITABLE */
export async function startEgressProxy(options: EgressOptions): Promise<EgressProxy> {
  const { socketPath, env, signal, limits = { connectMs: 10_000, idleMs: 120_000 } } = options;
  const sockets = new Set<Duplex>();
  const pending = new Set<Promise<void>>();
  const cut = new AbortController();
  const track = (work: Promise<void>): void => {
    const done = work.finally(() => pending.delete(done));
    pending.add(done);
  };

  const server = createServer(
    { maxHeaderSize: maxHeaderBytes, insecureHTTPParser: false, headersTimeout: limits.connectMs, requestTimeout: 0 },
    (request, response) => track(plain(request, response)),
  );
  server.maxConnections = maxConnections;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  server.on('connect', (request, socket, head) => track(tunnel(request, socket, head)));

  async function admit(request: EgressRequest): Promise<Passage | Refusal> {
    let authorisation: Authorisation;
    try {
      authorisation = await options.authorize(request);
    } catch {
      // Uncertainty denies; what went wrong is the governor's to tell, not the sandbox's to know.
      return { status: 503, reason: 'The governor could not decide.' };
    }
    if (!authorisation.allow) return { status: 403, reason: authorisation.reason };
    const found = await addressOf(request.host, options.allowPrivate ?? [], options.resolve);
    if (found.ok) return { request, authorisation, address: found.address };
    await finish(authorisation, { bytesIn: 0, bytesOut: 0, error: found.reason });
    return { status: found.refused ? 403 : 502, reason: found.reason };
  }

  async function plain(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = absoluteTarget(request.url ?? '');
    const passage: Passage | Refusal = target
      ? await admit({ host: target.host, port: target.port, method: request.method ?? '' })
      : { status: 400, reason: 'Only http:// requests in absolute form and CONNECT are understood here.' };
    if (target === undefined || 'status' in passage) {
      const { status, reason } = passage as Refusal; // no target, no passage
      response
        .writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
        .end(`${reason}\n`);
      return;
    }
    const outcome = await forward({ request, response, target, passage, env, limits, signal: cut.signal });
    await finish(passage.authorisation, outcome);
  }

  async function tunnel(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    client.on('error', () => client.destroy());
    const target = connectTarget(request.url ?? '');
    const passage: Passage | Refusal = target
      ? await admit({ ...target, method: 'CONNECT' })
      : { status: 400, reason: 'CONNECT needs host:port.' };
    if ('status' in passage) {
      const text = `${passage.reason}\n`;
      client.resume();
      client.end(
        `HTTP/1.1 ${passage.status} Refused\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n` +
          `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
      );
      return;
    }
    const counter = { in: 0, out: head.length };
    let error: string | undefined;
    let connected = false;
    const upstream = connect({ host: passage.address, port: passage.request.port, allowHalfOpen: true });
    const stop = (reason: string): void => {
      error ??= reason;
      upstream.destroy();
      client.destroy();
    };
    const onCut = (): void => stop('The governor cut the connection.');
    cut.signal.addEventListener('abort', onCut);
    if (cut.signal.aborted || client.destroyed) onCut();
    using opening = env.timer(() => stop('The host did not answer in time.'), limits.connectMs);
    upstream.on('error', (cause) => {
      error ??= messageOf(cause);
      client.resume();
      if (!connected && !client.destroyed)
        client.end('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      else client.destroy();
    });
    using _idle = watchIdle(env, counter, limits.idleMs, () => stop('Nothing passed for too long.'));
    upstream.once('connect', () => {
      connected = true;
      opening[Symbol.dispose]();
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.write(head);
      client.on('data', (chunk: Buffer) => {
        counter.out += chunk.length;
      });
      upstream.on('data', (chunk: Buffer) => {
        counter.in += chunk.length;
      });
      client.pipe(upstream).pipe(client);
      client.on('close', () => upstream.destroy());
    });
    await closed(upstream);
    // What the network sent last is on its way; the client has as long to take it as to be silent.
    await closed(client);
    cut.signal.removeEventListener('abort', onCut);
    await finish(passage.authorisation, { bytesIn: counter.in, bytesOut: counter.out, ...(error ? { error } : {}) });
  }

  const close = async (): Promise<void> => {
    cut.abort();
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await ended;
    await Promise.all(pending);
  };
  await listen(server, socketPath);
  const onAbort = (): void => void close();
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) await close();
  let closing: Promise<void> | undefined;
  return {
    socketPath,
    async [Symbol.asyncDispose]() {
      signal?.removeEventListener('abort', onAbort);
      closing ??= close();
      await closing;
    },
  };
}

async function finish(authorisation: Authorisation, outcome: EgressOutcome): Promise<void> {
  try {
    await authorisation.end(outcome);
  } catch {
    // The intent stays open in the ledger, and is settled as unknown: nothing truer can be said of it here.
  }
}

async function listen(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > 107) {
    throw new AgovError('INPUT_INVALID', {
      what: `The socket path ${path} is longer than 107 bytes.`,
      fix: 'Choose a shorter folder: the kernel takes no longer path for a socket.',
    });
  }
  await removeStale(path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const code = systemCode(error) === 'EADDRINUSE' ? 'CONFLICT' : 'NOT_WRITABLE';
      reject(
        new AgovError(code, { what: `The socket ${path} cannot be opened.`, why: messageOf(error), cause: error }),
      );
    });
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
}

/** Removes a socket that nobody listens on, left by a governor that was killed. */
async function removeStale(path: string): Promise<void> {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return;
  const answered = await new Promise<boolean>((resolve) => {
    const probe: Socket = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.on('error', () => resolve(false));
  });
  if (!answered) unlinkSync(path);
}
