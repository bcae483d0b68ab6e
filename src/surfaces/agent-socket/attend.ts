/**
 * HTTP over an agent's socket: `POST /v1/<operation>`, `GET /openapi.json`. One request a connection, bounded in size and
 * in the time that it may take to arrive, so that nobody who sends slowly, or not to the end, keeps others out.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { App } from '../../app/index.ts';
import { AgovError, ERROR_TABLE, isAgovError } from '../../kernel/index.ts';
import { type AgentOperations, type Operation, type Seat, tooMany } from '../../work/agents/index.ts';
import { readBody } from './body.ts';
import { openApi } from './openapi.ts';

export interface Attendant extends AsyncDisposable {
  /** Answers what comes over a paused connection. */
  take(socket: Socket): void;
}

const mostAtOnce = 16;
const transferMs = 10_000;

/** @param closing aborts when the process that holds the socket has ended: what it asked for ends with it */
export async function attend(
  app: App,
  seat: Seat,
  more: readonly Operation[],
  closing: AbortSignal,
): Promise<Attendant> {
  const operations = await app.operations(seat, more);
  const pending = new Set<Promise<void>>();
  const limits = new WeakMap<Socket, Disposable>();
  const unlimited = (socket: Socket): void => limits.get(socket)?.[Symbol.dispose]();
  const limited = (socket: Socket): void => {
    unlimited(socket);
    limits.set(
      socket,
      app.env.timer(() => socket.destroy(), transferMs),
    );
  };

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const gone = new AbortController();
    response.on('close', () => gone.abort(new Error('Whoever asked has gone.')));
    const busy = pending.size >= mostAtOnce;
    let status = 200;
    let answer: unknown;
    try {
      const input = await readBody(request);
      unlimited(socket);
      const ask = route(operations, request);
      if (busy) throw tooMany(`${mostAtOnce} requests of this process are under way.`);
      answer = await ask(input, AbortSignal.any([closing, gone.signal]));
    } catch (thrown) {
      const error = isAgovError(thrown) ? thrown : unexpected(thrown);
      status = ERROR_TABLE[error.code].http;
      answer = { error: error.toJSON() };
    }
    if (socket.destroyed) return;
    limited(socket);
    const text = JSON.stringify(answer);
    response.writeHead(status, {
      'content-type': 'application/json',
      connection: 'close',
      'cache-control': 'no-store',
    });
    response.end(`${text}\n`);
  }

  const server = process.getBuiltinModule('node:http').createServer({ maxHeaderSize: 8192 }, (request, response) => {
    const done = respond(request, response);
    pending.add(done);
    void done.finally(() => pending.delete(done));
  });
  return {
    take(socket) {
      limited(socket);
      server.emit('connection', socket);
      socket.resume();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(pending);
      await operations[Symbol.asyncDispose]();
    },
  };
}

type Ask = (input: unknown, signal: AbortSignal) => Promise<unknown>;

/** The path is compared as it was sent: nothing in it is decoded, resolved or cut off. */
function route({ table }: AgentOperations, { method, url = '' }: IncomingMessage): Ask {
  if (method === 'GET' && url === '/openapi.json') return async () => openApi([...table.values()]);
  const operation = method === 'POST' && url.startsWith('/v1/') ? table.get(url.slice('/v1/'.length)) : undefined;
  if (operation) return (input, signal) => operation.perform(input, { signal });
  throw new AgovError('NOT_FOUND', {
    what: `There is no ${String(method)} ${url.slice(0, 200)} here.`,
    fix: `There are GET /openapi.json and POST /v1/ with ${[...table.keys()].join(', ')}.`,
  });
}

/** What went wrong inside is for the operator's eyes. */
function unexpected(cause: unknown): AgovError {
  return new AgovError('INTERNAL', { what: 'The governor stopped at something it did not expect.', cause });
}
