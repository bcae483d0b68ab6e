/**
 * Health over HTTP, for this machine alone: a Unix socket that only its owner opens, or a port of the loopback. It tells
 * figures and no secret, takes no order, and so asks for no token. What it is sent is bounded in size and time.
 */

import { once } from 'node:events';
import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { AgovError, messageOf, systemCode } from '../../kernel/index.ts';
import type { ServeStatus } from '../../runtime/housekeeping/index.ts';

export interface HealthEndpoint extends AsyncDisposable {
  /** A path, or `host:port` with the port that it got. */
  readonly address: string;
}

export interface HealthSource {
  /** False when the process is up and does nothing any more. */
  alive(): boolean;
  status(): ServeStatus;
}

const most = {
  ...{ maxHeaderSize: 4096, headersTimeout: 5000, requestTimeout: 5000, keepAliveTimeout: 1000 },
  // Node looks for what is over its time every 30 seconds otherwise: a few slow callers would shut out the others.
  connectionsCheckingInterval: 500,
};
const mostConnections = 32;

/** @param listen a path, or `host:port` of the loopback. @throws AgovError CONFIG_INVALID when it cannot be had */
export async function serveHealth(listen: string, source: HealthSource): Promise<HealthEndpoint> {
  const byPath = listen.startsWith('/');
  const server = createServer(most, (request, response) => answer(source, byPath, request, response));
  server.maxConnections = mostConnections;
  if (byPath) await removeDead(listen);
  const listening = once(server, 'listening');
  server.listen(byPath ? { path: listen } : hostPort(listen));
  await listening.catch((error: unknown) => {
    throw cannot(listen, systemCode(error) === 'EADDRINUSE' ? taken : `${messageOf(error)}.`, error);
  });
  if (byPath) chmodSync(listen, 0o600);
  const bound = server.address();
  const port = (bound as AddressInfo | null)?.port; // it listens on TCP where it was given a port
  return {
    address: byPath ? listen : `${listen.slice(0, listen.lastIndexOf(':'))}:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const taken = 'Another program listens there.';

/** The path is whatever somebody wrote into a file: only a socket on which nobody answers any more is in our way. */
async function removeDead(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (!there) return;
  if (!there.isSocket()) throw cannot(path, 'Something lies there that is no socket, and stays.');
  const socket = connect(path);
  const answers = await once(socket, 'connect').then(
    () => true,
    // A program that is too busy to take one more lives as well.
    (error: unknown) => systemCode(error) !== 'ECONNREFUSED',
  );
  socket.destroy();
  if (answers) throw cannot(path, taken);
  rmSync(path, { force: true });
}

function cannot(listen: string, why: string, cause?: unknown): AgovError {
  return new AgovError('CONFIG_INVALID', {
    what: `Health cannot be served at ${listen}.`,
    why,
    fix: 'Set serve.listen in agov.yaml to a free port of 127.0.0.1, or to a short path that can be written.',
    cause,
  });
}

/** `127.0.0.1:80` and `[::1]:80` as Node takes them. */
export function hostPort(address: string): { readonly host: string; readonly port: number } {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
}

function answer(source: HealthSource, byPath: boolean, request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  const [status, body] = reply(source, byPath, request);
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}

function reply(source: HealthSource, byPath: boolean, { method, url, headers }: IncomingMessage): [number, object] {
  // A page in a browser may send a request here under a name of its own (DNS rebinding); it is to read nothing.
  if (!byPath && !/^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/.test(headers.host ?? '')) {
    return [403, { error: 'This is for 127.0.0.1 alone.' }];
  }
  if (method !== 'GET' && method !== 'HEAD') return [405, { error: 'GET alone.' }];
  switch (url) {
    case '/healthz': {
      const alive = source.alive();
      return [alive ? 200 : 503, { alive }];
    }
    case '/readyz': {
      const { ready, reasons } = source.status();
      return [ready ? 200 : 503, { ready, reasons }];
    }
    case '/status':
      return [200, source.status()];
    default:
      return [404, { error: 'There are /healthz, /readyz and /status.' }];
  }
}
