/** Tools over the Model Context Protocol, on two streams, for one client, until it goes. */
import type { Readable, Writable } from 'node:stream';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, type CallToolResult, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { isAgovError } from '../../kernel/index.ts';
import { boundedLines } from './lines.ts';
import type { Tool } from './tool.ts';

export interface ServeOptions {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly version: string;
  readonly instructions: string;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** What went wrong that no answer tells. */
  onFault(what: string): void;
}

const mostAtOnce = 8;
const mostWaiting = 200;
/** The largest content that a tool takes, however it is escaped. */
const mostLine = 8 * 1024 * 1024;
const mostAnswer = 1_000_000;

/** Resolves when the client has gone, or the signal aborts. */
export async function serveTools(tools: readonly Tool[], options: ServeOptions): Promise<void> {
  const { stdin, stdout, version, instructions, signal, onFault } = options;
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  const server = new Server({ name: 'agov-context', version }, { capabilities: { tools: {} }, instructions });
  const pending = new Set<Promise<unknown>>();
  const turn = turnsOf(mostAtOnce);
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: tools.map(({ name, description, inputSchema, readOnly }) => ({
      ...{ name, description, inputSchema: { ...inputSchema } },
      annotations: { readOnlyHint: readOnly, destructiveHint: false, openWorldHint: false },
    })),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const tool = byName.get(params.name);
    if (!tool)
      return failure(`There is no tool "${params.name.slice(0, 100)}".`, `There are ${[...byName.keys()].join(', ')}.`);
    if (pending.size >= mostWaiting) return failure(`${mostWaiting} calls are under way.`, 'Wait for some of them.');
    const call = turn(() => tool.call(params.arguments ?? {}, AbortSignal.any([signal, extra.signal]))).then(
      answer,
      (error: unknown) => told(error, onFault),
    );
    pending.add(call);
    void call.finally(() => pending.delete(call));
    return call;
  });
  server.onerror = (error) => onFault(error.message);
  const gone = Promise.withResolvers<void>();
  server.onclose = gone.resolve;
  signal.addEventListener('abort', () => gone.resolve(), { once: true });
  // Who does not listen any more has gone.
  stdout.once('error', () => gone.resolve());
  const lines = stdin.pipe(
    boundedLines(mostLine, () => {
      onFault(`A message of over ${mostLine} bytes was passed over.`);
      const error = { code: -32600, message: `A message has at most ${mostLine} bytes.` };
      stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id: null, error })}\n`);
    }),
  );
  lines.once('end', gone.resolve);
  stdin.once('close', () => lines.end());
  await server.connect(new StdioServerTransport(lines, stdout, { maxBufferSize: 2 * mostLine }));
  await gone.promise;
  // What was asked before the input ended is still answered; it is heard a turn later.
  await new Promise((resolve) => setImmediate(resolve));
  if (!signal.aborted) await Promise.all(pending);
  await new Promise((resolve) => setImmediate(resolve));
  await server.close();
  // Else a client that still holds the other end would hold this process as well.
  stdin.unpipe(lines).pause();
}

/** So many at once; the others in the order in which they came. */
function turnsOf(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let busy = 0;
  return async (work) => {
    if (busy >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else busy += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else busy -= 1;
    }
  };
}

/** A brief is for reading; the rest is JSON. */
function answer(value: unknown): CallToolResult {
  const brief = typeof value === 'object' && value !== null && 'text' in value ? value.text : undefined;
  const text = typeof brief === 'string' ? brief : JSON.stringify(value, null, 1);
  return { content: [{ type: 'text', text: text.length <= mostAnswer ? text : `${text.slice(0, mostAnswer)}…` }] };
}

function told(error: unknown, onFault: (what: string) => void): CallToolResult {
  if (isAgovError(error)) return failure(`${error.code}: ${error.what}`, error.why, error.fix);
  if (error instanceof Error && error.name === 'AgentError' && 'code' in error) {
    return failure(`${String(error.code)}: ${error.message}`, 'fix' in error ? String(error.fix ?? '') : '');
  }
  // What went wrong inside is for the operator's eyes.
  onFault(error instanceof Error ? error.message : String(error));
  return failure('INTERNAL: agov stopped at something it did not expect.');
}

function failure(...lines: readonly (string | undefined)[]): CallToolResult {
  return { content: [{ type: 'text', text: lines.filter(Boolean).join('\n') }], isError: true };
}
