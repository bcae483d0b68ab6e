/**
 * One HTTP exchange: bounded in size, ended by its signal, no redirect followed. Over node:http and node:https, because
 * the fetch of Node takes no certificate authority of one's own without a package.
 */
import { Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { tooLarge } from '../refusals.ts';

export interface Sent {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  /** From `Retry-After`, where it is a number of seconds. */
  readonly retryAfterMs: number | undefined;
  /** Null for an empty body, undefined for one that is not JSON. */
  readonly json: unknown;
}

export interface Wire extends Disposable {
  /** Rejects with Node's error when no whole answer comes. */
  send(sent: Sent, signal: AbortSignal): Promise<Answer>;
}

/** A secret has 65,536 bytes at most, six times that when every one is escaped; a list of names has more. */
const maxBodyBytes = 4 * 1024 * 1024;
const maxSockets = 16;

export function openWire(ca: string | undefined): Wire {
  const plain = new PlainAgent({ keepAlive: true, maxSockets });
  const secure = new SecureAgent({ keepAlive: true, maxSockets, ...(ca === undefined ? {} : { ca }) });
  return {
    send({ method, url, headers, body }, signal) {
      const options = { method, headers, signal };
      return new Promise((resolve, reject) => {
        const request =
          url.protocol === 'https:'
            ? secureRequest(url, { ...options, agent: secure })
            : plainRequest(url, { ...options, agent: plain });
        request.on('error', reject);
        request.on('response', (message) => {
          readBody(message).then((text) => {
            resolve({
              status: message.statusCode ?? 0,
              location: message.headers.location,
              retryAfterMs: seconds(message.headers['retry-after']),
              json: parsed(text),
            });
          }, reject);
        });
        request.end(body);
      });
    },
    [Symbol.dispose]() {
      plain.destroy();
      secure.destroy();
    },
  };
}

async function readBody(message: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop destroys the message, and its connection with it.
  for await (const chunk of message) {
    size += chunk.length;
    if (size > maxBodyBytes) throw tooLarge(maxBodyBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    // V8 quotes the text in its message, and the text may hold a secret: that it is no JSON is all that is kept.
    return undefined;
  }
}

function seconds(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : undefined;
}
