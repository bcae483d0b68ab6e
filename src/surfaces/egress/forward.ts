/**
 * Plain HTTP: the request is parsed and written anew from its parts, so that what was authorised and what is sent cannot
 * be two readings of the same bytes (request smuggling). One request, one connection to the host.
 */
import { type IncomingMessage, request as open, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { type Env, messageOf } from '../../kernel/index.ts';
import type { EgressOutcome, Passage } from './types.ts';
import { type Limits, watchIdle } from './watch.ts';

export interface Forwarding {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: { readonly url: URL };
  readonly passage: Passage;
  readonly env: Env;
  readonly limits: Limits;
  readonly signal: AbortSignal;
}

/** Between two neighbours only (RFC 9110 section 7.6.1), and what belongs to the proxy. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export async function forward({
  request,
  response,
  target,
  passage,
  env,
  limits,
  signal,
}: Forwarding): Promise<EgressOutcome> {
  const { url } = target;
  const counter = { in: 0, out: 0 };
  const cut = new AbortController();
  const stop = (reason: string): void => cut.abort(new Error(reason));
  const onCut = (): void => stop('The governor cut the connection.');
  signal.addEventListener('abort', onCut);
  response.on('close', () => {
    if (!response.writableFinished) stop('The command closed the connection.');
  });
  using opening = env.timer(() => stop('The host did not answer in time.'), limits.connectMs);
  using _idle = watchIdle(env, counter, limits.idleMs, () => stop('Nothing passed for too long.'));
  try {
    const upstream = open({
      host: passage.address,
      port: passage.request.port,
      method: passage.request.method,
      path: url.pathname + url.search,
      headers: { ...endToEnd(request), host: url.host, ...bodyHeaders(request) },
      setHost: false,
      agent: false,
      signal: cut.signal,
      maxHeaderSize: 64 * 1024,
    });
    upstream.on('socket', (socket) => socket.once('connect', () => opening[Symbol.dispose]()));
    request.on('data', (chunk: Buffer) => {
      counter.out += chunk.length;
    });
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      upstream.once('response', resolve);
      upstream.once('error', reject);
    });
    // A host may answer before it has read everything, and hang up.
    const sent = pipeline(request, upstream).catch((error: unknown) => error);
    const incoming = await answer;
    incoming.on('data', (chunk: Buffer) => {
      counter.in += chunk.length;
    });
    response.writeHead(incoming.statusCode ?? 502, endToEnd(incoming));
    await pipeline(incoming, response, { signal: cut.signal });
    upstream.destroy();
    await sent;
    return { bytesIn: counter.in, bytesOut: counter.out };
  } catch (error) {
    const cause = cut.signal.aborted ? cut.signal.reason : error;
    if (response.headersSent || response.destroyed) response.destroy();
    else
      response
        .writeHead(502, { 'content-type': 'text/plain', connection: 'close' })
        .end('The host could not be reached.\n');
    return { bytesIn: counter.in, bytesOut: counter.out, error: messageOf(cause) };
  } finally {
    signal.removeEventListener('abort', onCut);
  }
}

function endToEnd(message: IncomingMessage): Record<string, string[] | string> {
  const named = (message.headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  const kept = Object.entries(message.headersDistinct).filter(
    ([name, values]) => !hopByHop.has(name) && !named.includes(name) && values !== undefined,
  );
  return Object.fromEntries(
    kept.map(([name, values = []]) => [name, values.length === 1 ? (values[0] ?? '') : values]),
  );
}

/** node:http frames a body anew only when told that there is one. */
function bodyHeaders(request: IncomingMessage): Record<string, string> {
  return request.headers['transfer-encoding'] === undefined ? {} : { 'transfer-encoding': 'chunked' };
}
