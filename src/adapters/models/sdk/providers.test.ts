/** The streams of three providers, in the shapes that their documentation gives. */
import { describe, expect, it } from 'vitest';
import { events, type ModelServer, modelServer } from '../../../../test/support/model-server.ts';
import { systemEnv } from '../../../kernel/index.ts';
import { type ModelConfig, modelSchema } from '../../../schemas/index.ts';
import { asking, modelContract } from '../contract.ts';
import type { Model } from '../port.ts';
import { openModel } from './index.ts';

type Shapes = Readonly<Record<'talks' | 'calls' | 'refuses', readonly string[]>>;

/** Anthropic names each event besides. */
const named = (...values: readonly { readonly type: string }[]): string[] =>
  values.map((value) => `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`);

function anthropic(blocks: readonly { readonly type: string }[], stop: string): string[] {
  const usage = { input_tokens: 100, output_tokens: 1 };
  const message = { id: 'msg_1', type: 'message', role: 'assistant', content: [], model: 'scripted', usage };
  return named(
    { type: 'message_start', message: { ...message, stop_reason: null, stop_sequence: null } } as never,
    ...blocks,
    { type: 'message_delta', delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: 10 } } as never,
    { type: 'message_stop' },
  );
}

const block = (start: object, ...deltas: readonly object[]): { readonly type: string }[] => [
  { type: 'content_block_start', index: 0, content_block: start } as never,
  ...deltas.map((delta) => ({ type: 'content_block_delta', index: 0, delta }) as never),
  { type: 'content_block_stop', index: 0 } as never,
];

const ofAnthropic: Shapes = {
  talks: anthropic(
    block(
      { type: 'text', text: '' },
      { type: 'text_delta', text: 'Grüezi ' },
      { type: 'text_delta', text: 'mitenand.' },
    ),
    'end_turn',
  ),
  calls: anthropic(
    block(
      { type: 'tool_use', id: 'toolu_1', name: 'fs_read', input: {} },
      { type: 'input_json_delta', partial_json: '{"path":' },
      { type: 'input_json_delta', partial_json: ' "a.txt"}' },
    ),
    'tool_use',
  ),
  refuses: anthropic(block({ type: 'text', text: '' }, { type: 'text_delta', text: 'No.' }), 'refusal'),
};

function google(parts: readonly (readonly object[])[], finishReason: string): string[] {
  const usageMetadata = { promptTokenCount: 100, candidatesTokenCount: 10, totalTokenCount: 110 };
  return events(
    ...parts.map((one, at) => ({
      candidates: [
        {
          ...{ content: { parts: one, role: 'model' }, index: 0 },
          ...(at === parts.length - 1 ? { finishReason } : {}),
        },
      ],
      usageMetadata,
      modelVersion: 'scripted',
    })),
  );
}

const ofGoogle: Shapes = {
  talks: google([[{ text: 'Grüezi ' }], [{ text: 'mitenand.' }]], 'STOP'),
  calls: google(
    [[{ functionCall: { name: 'fs_read', args: { path: 'a.txt' } }, thoughtSignature: 'c2lnbmF0dXJl' }]],
    'STOP',
  ),
  refuses: google([[{ text: 'No' }]], 'SAFETY'),
};

function openai(item: object, deltas: readonly object[], done: object, end: object = {}): string[] {
  const response = { id: 'resp_1', created_at: 1, model: 'scripted', service_tier: null };
  const usage = { input_tokens: 100, output_tokens: 10 };
  return events(
    { type: 'response.created', response },
    { type: 'response.output_item.added', output_index: 0, item },
    ...deltas,
    { type: 'response.output_item.done', output_index: 0, item: done },
    { type: 'response.completed', response: { ...response, usage, incomplete_details: null, ...end } },
  );
}

const said = { type: 'message', id: 'msg_1', role: 'assistant', content: [] };
const textDelta = (delta: string): object => ({
  ...{ type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0, delta },
});
const asked = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'fs_read', arguments: '' };

const ofOpenAi: Shapes = {
  talks: openai(said, [textDelta('Grüezi '), textDelta('mitenand.')], said),
  calls: openai(
    asked,
    [{ type: 'response.function_call_arguments.delta', item_id: 'fc_1', output_index: 0, delta: '{"path": "a.txt"}' }],
    { ...asked, arguments: '{"path": "a.txt"}', status: 'completed' },
  ),
  refuses: [
    ...openai(said, [textDelta('No.')], said).slice(0, -1),
    ...events({
      type: 'response.incomplete',
      response: { incomplete_details: { reason: 'content_filter' }, usage: { input_tokens: 100, output_tokens: 10 } },
    }),
  ],
};

describe.each<[ModelConfig['provider'], Shapes, string]>([
  ['anthropic', ofAnthropic, '/v1/messages'],
  ['google', ofGoogle, '/v1/models/scripted:streamGenerateContent?alt=sse'],
  ['openai', ofOpenAi, '/v1/responses'],
])('%s', (provider, shapes, path) => {
  modelContract(async () => {
    const servers: ModelServer[] = [];
    const open = async (raw: readonly string[]): Promise<Model> => {
      const server = await modelServer([{ raw }]);
      servers.push(server);
      const config = modelSchema.parse({ provider, model: 'scripted', baseUrl: server.url, key: 'models/main' });
      return openModel('main', config, systemEnv());
    };
    return {
      talks: await open(shapes.talks),
      calls: await open(shapes.calls),
      refuses: await open(shapes.refuses),
      asked: () => servers.flatMap((server) => server.asked.map((one) => JSON.stringify(one))),
      async [Symbol.asyncDispose]() {
        for (const server of servers) await server[Symbol.asyncDispose]();
      },
    };
  });

  it(`is asked at ${path}, and an overload is told as such`, async () => {
    await using server = await modelServer([{ status: 529 }]);
    const more = { baseUrl: server.url, key: 'models/main', maxRetries: 0 };
    const config = modelSchema.parse({ provider, model: 'scripted', ...more });
    const asked = openModel('main', config, systemEnv()).complete(asking([{ role: 'user', text: 'x' }]));
    await expect(asked).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
    expect(server.asked[0]?.path).toBe(path);
  });
});

it('asks no second time where half an answer has been shown', async () => {
  const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
  await using server = await modelServer([{ raw: [...ofAnthropic.talks.slice(0, 3), ...named(overloaded)] }]);
  const settings = { provider: 'anthropic', model: 'scripted', baseUrl: server.url, key: 'models/main' };
  const pieces: string[] = [];
  const model = openModel('main', modelSchema.parse(settings), systemEnv());
  const request = asking([{ role: 'user', text: 'x' }], { onText: (piece) => void pieces.push(piece) });
  await expect(model.complete(request)).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
  expect(pieces).toEqual(['Grüezi ']);
  expect(server.asked).toHaveLength(1);
});

it('keeps what Google signs, for its next call', async () => {
  await using server = await modelServer([{ raw: ofGoogle.calls }]);
  const settings = { provider: 'google', model: 'scripted', baseUrl: server.url, key: 'models/main' };
  const model = openModel('main', modelSchema.parse(settings), systemEnv());
  const { text, calls, carried } = await model.complete(asking([{ role: 'user', text: 'x' }]));
  const call = calls[0]?.id ?? '';
  await model.complete(
    asking([
      { role: 'user', text: 'x' },
      { role: 'assistant', text, calls, ...(carried === undefined ? {} : { carried }) },
      { role: 'tool', call, name: 'fs.read', text: 'content' },
    ]),
  );
  expect(JSON.stringify(server.asked[1]?.body)).toContain('c2lnbmF0dXJl');
});
