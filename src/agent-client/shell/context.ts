/**
 * `agov mcp context` inside a sandbox: the agent's memory, checkpoints and statuses over the Model Context Protocol, on two
 * streams of lines. As much of the protocol as tools need, so that nothing but Node is wanted there.
 */
import { type Agent, connect } from '../client.ts';
import { AgentError } from '../transport.ts';
import type { Json } from '../types.ts';
import { boundedLines } from './lines.ts';

export interface ContextIo {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly environment: Readonly<Record<string, string | undefined>>;
}

interface Described {
  readonly name: string;
  readonly operation: string;
  readonly description: string;
  readonly inputSchema: Json;
}

interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: { readonly [key: string]: Json | undefined };
}

const protocols = ['2025-06-18', '2025-03-26', '2024-11-05'];
const mostAtOnce = 8;
const mostLine = 8 * 1024 * 1024;
const wanted = /^(?:memory|checkpoint|status)\./;
const instructions =
  'You forget; this does not. At the start call checkpoint_load to be told where you left off. Put large output into memory_log and find it with memory_search. Before you stop, or when much is done, call checkpoint_now with notes and next steps, and status_update for the directory you work in.';

/** Until the input ends; the exit code. */
export async function runContext({ stdin, stdout, stderr, environment }: ContextIo): Promise<number> {
  const say = (message: object): unknown => stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  try {
    const agent = connect({ socket: environment['AGOV_SOCKET'] ?? '' });
    const tools = toolsIn(await agent.describe());
    const pending = new Set<Promise<void>>();
    for await (const line of boundedLines(stdin, mostLine)) {
      const message = line === undefined ? undefined : parsed(line);
      if (message === undefined) {
        if (line?.trim() !== '') say({ id: null, error: { code: -32700, message: 'That is no message of JSON-RPC.' } });
        continue;
      }
      // What has no id wants no answer.
      if (message.id === undefined || message.method === undefined) continue;
      if (pending.size >= mostAtOnce) await Promise.race(pending);
      const { id } = message;
      const work: Promise<void> = answer(agent, tools, message).then((told) => {
        say({ id, ...told });
        pending.delete(work);
      });
      pending.add(work);
    }
    await Promise.all(pending);
    return 0;
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    stderr.write(`agov: ${error.message}${error.fix === undefined ? '' : `\n  fix: ${error.fix}`}\n`);
    return 69;
  }
}

function parsed(line: string): Message | undefined {
  try {
    const message: unknown = JSON.parse(line);
    if (typeof message !== 'object' || message === null || !('jsonrpc' in message)) return undefined;
    const { id, method } = message as Message; // each field is looked at where it is used
    const known = id === undefined || typeof id === 'string' || typeof id === 'number';
    return known && (method === undefined || typeof method === 'string') ? (message as Message) : undefined;
  } catch {
    // Whatever it was, the answer to it says so.
    return undefined;
  }
}

async function answer(agent: Agent, tools: readonly Described[], { method, params = {} }: Message): Promise<object> {
  switch (method) {
    case 'initialize': {
      const asked = String(params?.['protocolVersion']);
      const protocolVersion = protocols.includes(asked) ? asked : protocols[0];
      const serverInfo = { name: 'agov-context', version: '1' };
      return { result: { protocolVersion, capabilities: { tools: {} }, serverInfo, instructions } };
    }
    case 'ping':
      return { result: {} };
    case 'tools/list':
      return { result: { tools: tools.map(({ operation: _own, ...tool }) => tool) } };
    case 'tools/call': {
      const tool = tools.find(({ name }) => name === params?.['name']);
      if (!tool) return failed(`There is no such tool. There are ${tools.map(({ name }) => name).join(', ')}.`);
      return called(agent, tool.operation, params['arguments'] ?? {});
    }
    default:
      return { error: { code: -32601, message: 'There is no such method.' } };
  }
}

async function called(agent: Agent, operation: string, input: Json): Promise<object> {
  try {
    const given = await agent.call(operation, input);
    // A brief is for reading; the rest is JSON.
    const brief = typeof given === 'object' && given !== null && 'text' in given ? given.text : undefined;
    const text = typeof brief === 'string' ? brief : JSON.stringify(given, null, 1);
    return { result: { content: [{ type: 'text', text }] } };
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    return failed([`${error.code}: ${error.message}`, error.fix].filter(Boolean).join('\n'));
  }
}

function failed(text: string): object {
  return { result: { content: [{ type: 'text', text }], isError: true } };
}

/** Of what the socket says that may be asked. The governor made it: its shape is believed. */
function toolsIn(document: Json): readonly Described[] {
  const { paths } = document as unknown as {
    readonly paths: Readonly<
      Record<
        string,
        {
          readonly post: {
            readonly operationId: string;
            readonly summary: string;
            readonly requestBody: { readonly content: Readonly<Record<string, { readonly schema: Json }>> };
          };
        }
      >
    >;
  };
  return Object.values(paths)
    .filter(({ post }) => wanted.test(post.operationId))
    .map(({ post: { operationId, summary, requestBody } }) => ({
      ...{ name: operationId.replaceAll('.', '_'), operation: operationId, description: summary },
      inputSchema: requestBody.content['application/json']?.schema ?? { type: 'object' },
    }));
}
