/** A language model on a real socket, in the protocol of OpenAI's chat completions, whose answers are written out. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface AskedModel {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: the provider's own shapes, looked into by the tests
  readonly body: any;
}

export type Answer =
  | {
      readonly text?: string;
      readonly calls?: readonly { readonly name: string; readonly args: unknown }[];
      readonly finish?: string;
      /** Tokens in and out; by default 100 and 10. `none`: the server does not tell. */
      readonly usage?: readonly [number, number] | 'none';
    }
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** Lines as they are, then the end, a cut connection, silence, or the last line again and again. */
  | { readonly raw: readonly string[]; readonly ending?: 'end' | 'cut' | 'hang' | 'endless' };

export interface ModelServer extends AsyncDisposable {
  /** With `/v1`. */
  readonly url: string;
  readonly asked: AskedModel[];
  /** Resolves when so many requests have come. */
  came(count: number): Promise<void>;
}

/** Answers in order; the last one again for all that follow. */
export async function modelServer(
  answers: readonly (Answer | ((asked: AskedModel) => Answer))[],
): Promise<ModelServer> {
  const asked: AskedModel[] = [];
  const waiting = new Set<() => void>();
  const server = createServer(async (request, response) => {
    const body = JSON.parse((await text(request)) || 'null');
    const one = { path: request.url ?? '', headers: request.headers, body };
    const next = answers[Math.min(asked.length, answers.length - 1)] ?? {};
    asked.push(one);
    for (const look of waiting) look();
    reply(response, typeof next === 'function' ? next(one) : next);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    url: `http://127.0.0.1:${port}/v1`,
    asked,
    came: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (asked.length < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Server-sent events of these values. */
export function events(...values: readonly unknown[]): string[] {
  return values.map((value) => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`);
}

function reply(response: ServerResponse, answer: Answer): void {
  if ('status' in answer) {
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(answer.body ?? JSON.stringify({ error: { message: `scripted ${answer.status}` } }));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const { raw, ending = 'end' } = 'raw' in answer ? answer : { raw: lines(answer) };
  for (const line of raw) response.write(line);
  if (ending === 'end') response.end();
  if (ending === 'cut') setImmediate(() => response.destroy());
  if (ending === 'endless') {
    const last = raw.at(-1) ?? '';
    const send = (): void => {
      while (!response.destroyed && response.write(last.repeat(100)));
      if (!response.destroyed) response.once('drain', send);
    };
    send();
  }
}

function lines({
  text: said = '',
  calls = [],
  finish,
  usage = [100, 10],
}: Exclude<Answer, { raw: unknown } | { status: number }>): string[] {
  const chunk = (delta: object, more: object = {}): object => ({
    ...{ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'scripted' },
    choices: [{ index: 0, delta, ...more }],
  });
  const pieces = said.match(/[\s\S]{1,7}/g) ?? [];
  const tools = calls.flatMap(({ name, args }, index) => {
    const json = typeof args === 'string' ? args : JSON.stringify(args);
    const half = Math.ceil(json.length / 2);
    const first = {
      index,
      id: `call_${index}_${name}`,
      type: 'function',
      function: { name, arguments: json.slice(0, half) },
    };
    return [first, { index, function: { arguments: json.slice(half) } }].map((one) => chunk({ tool_calls: [one] }));
  });
  const reason = finish ?? (calls.length > 0 ? 'tool_calls' : 'stop');
  const counted =
    usage === 'none'
      ? []
      : [{ ...chunk({}), choices: [], usage: { prompt_tokens: usage[0], completion_tokens: usage[1] } }];
  return events(
    chunk({ role: 'assistant', content: '' }),
    ...pieces.map((content) => chunk({ content })),
    ...tools,
    chunk({}, { finish_reason: reason }),
    ...counted,
    '[DONE]',
  );
}
