/** Reads a request's body as JSON that is bounded in bytes and in depth, and holds no key that changes what objects are. */
import type { IncomingMessage } from 'node:http';
import { AgovError, messageOf } from '../../kernel/index.ts';

const mostBytes = 1_048_576;
const mostDepth = 64;

/** An empty body is an empty object. @throws INPUT_INVALID */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const bytes = await collect(request);
  return bytes.length === 0 ? {} : parseBody(bytes);
}

/**
 * Reads to the end in any case, and keeps no more than is allowed: whoever still sends does not hear the answer. By
 * listeners, since a loop that is left early would destroy the connection with the request.
 */
function collect(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      // The length that was announced is nobody's promise.
      size += chunk.length;
      if (size <= mostBytes) chunks.push(chunk);
      else chunks.length = 0;
    });
    request.once('end', () => {
      if (size <= mostBytes) resolve(Buffer.concat(chunks));
      else reject(invalid('The body is too large.', `It has more than ${mostBytes} bytes.`));
    });
    request.once('error', reject);
    request.once('close', () => reject(invalid('The request was cut short.', 'The connection was closed.')));
  });
}

/** @throws INPUT_INVALID */
export function parseBody(bytes: Uint8Array): unknown {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid('The body is not JSON.', messageOf(error).slice(0, 200));
  }
  refuseOdd(value);
  return value;
}

/** With a list of its own in place of recursion, which a deep value would break. */
function refuseOdd(root: unknown): void {
  const left: { readonly value: unknown; readonly depth: number }[] = [{ value: root, depth: 0 }];
  for (let next = left.pop(); next; next = left.pop()) {
    const { value, depth } = next;
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= mostDepth) throw invalid('The body is nested too deep.', `It has more than ${mostDepth} levels.`);
    if (Object.hasOwn(value, '__proto__')) throw invalid('The body has a key "__proto__".', 'It names no value.');
    for (const inner of Object.values(value)) left.push({ value: inner, depth: depth + 1 });
  }
}

function invalid(what: string, why: string): AgovError {
  return new AgovError('INPUT_INVALID', { what, why, fix: 'See /openapi.json for what is taken.' });
}
