import { describe, expect, it } from 'vitest';
import { type Answer, events, modelServer } from '../../../../test/support/model-server.ts';
import { systemEnv } from '../../../kernel/index.ts';
import { type ModelConfig, modelSchema } from '../../../schemas/index.ts';
import { asking, key, modelContract } from '../contract.ts';
import type { Model } from '../port.ts';
import { openModel } from './index.ts';

const settings = (baseUrl: string, more: object = {}): ModelConfig =>
  modelSchema.parse({ provider: 'openai-compatible', model: 'scripted', baseUrl, key: 'models/main', ...more });
const hello = [{ role: 'user', text: 'the prompt that nobody repeats' }] as const;

async function serving(answers: readonly Answer[], more: object = {}) {
  const server = await modelServer(answers);
  return Object.assign(server, { model: openModel('main', settings(server.url, more), systemEnv()) });
}

modelContract(async () => {
  const servers = await Promise.all([
    serving([{ text: 'Grüezi mitenand.' }]),
    serving([{ calls: [{ name: 'fs_read', args: { path: 'a.txt' } }] }]),
    serving([{ text: 'No.', finish: 'content_filter' }]),
  ]);
  const [talks, calls, refuses] = servers.map(({ model }) => model) as [Model, Model, Model];
  return {
    ...{ talks, calls, refuses },
    asked: () => servers.flatMap(({ asked }) => asked.map((one) => JSON.stringify(one))),
    async [Symbol.asyncDispose]() {
      for (const server of servers) await server[Symbol.asyncDispose]();
    },
  };
});

describe('a server in trouble', () => {
  it('is waited for as long as it asks, and asked again', async () => {
    await using server = await serving([{ status: 429, headers: { 'retry-after': '0' } }, { text: 'now' }]);
    expect(await server.model.complete(asking(hello))).toMatchObject({ text: 'now' });
    expect(server.asked).toHaveLength(2);
  });

  it('is left alone where it asks for more time than there is', async () => {
    await using server = await serving([{ status: 429, headers: { 'retry-after': '86400' } }]);
    await expect(server.model.complete(asking(hello))).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      what: 'Model "main" does not answer (HTTP 429).',
    });
    expect(server.asked).toHaveLength(1);
  });

  it.each<[string, Answer, object, string, number]>([
    ['fails every time', { status: 500, headers: { 'retry-after': '0' } }, {}, 'MODEL_UNAVAILABLE', 3],
    ['does not know the key', { status: 401, body: `bad key ${key.reveal()}` }, {}, 'MODEL_FAILED', 1],
    ['hangs', { raw: [], ending: 'hang' }, { silence: '50ms' }, 'MODEL_UNAVAILABLE', 1],
    ['hangs half-way', { raw: events('{"choices":[]}'), ending: 'hang' }, { silence: '50ms' }, 'MODEL_UNAVAILABLE', 1],
    ['is slower than its deadline', { raw: [], ending: 'hang' }, { deadline: '50ms' }, 'MODEL_UNAVAILABLE', 1],
    ['sends garbage', { raw: ['data: {"choices": [{]}\n\n', 'data: ☃\n\n'] }, {}, 'MODEL_FAILED', 1],
    ['sends another format', { raw: ['<html>hello</html>'] }, {}, 'MODEL_FAILED', 1],
    ['sends nothing', { raw: [] }, {}, 'MODEL_FAILED', 1],
    [
      'sends half an answer',
      { raw: events({ choices: [{ index: 0, delta: { content: 'half' } }] }) },
      {},
      'MODEL_FAILED',
      1,
    ],
  ])('%s', async (_name, answer, more, code, requests) => {
    await using server = await serving([answer], more);
    const error = await server.model.complete(asking(hello)).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code });
    expect(server.asked).toHaveLength(requests);
    const told = JSON.stringify(error) + String((error as Error).stack) + String((error as Error).cause);
    expect(told).not.toContain(key.reveal());
    expect(told).not.toContain(hello[0].text);
  });

  it('never stops, and is not listened to for ever', async () => {
    const piece = events({ choices: [{ index: 0, delta: { content: 'x'.repeat(60_000) } }] });
    await using server = await serving([{ raw: piece, ending: 'endless' }]);
    await expect(server.model.complete(asking(hello))).rejects.toMatchObject({
      code: 'MODEL_FAILED',
      what: expect.stringMatching(/ sent more than 33554432 bytes for one answer\.$/),
    });
  });

  it('cuts the connection in the middle', async () => {
    await using server = await serving([
      { raw: events({ choices: [{ index: 0, delta: { content: 'half' } }] }), ending: 'cut' },
    ]);
    await expect(server.model.complete(asking(hello))).rejects.toMatchObject({ name: 'AgovError' });
    // Half an answer was shown already: another whole one behind it would be two.
    expect(server.asked).toHaveLength(1);
  });

  it('sends us elsewhere, and the key does not go along', async () => {
    await using elsewhere = await serving([{ text: 'mine now' }]);
    await using server = await serving([{ status: 307, headers: { location: elsewhere.url } }], { maxRetries: 0 });
    await expect(server.model.complete(asking(hello))).rejects.toMatchObject({ name: 'AgovError' });
    expect(elsewhere.asked).toHaveLength(0);
  });

  it('is not there', async () => {
    const gone = await serving([{ text: '' }], { maxRetries: 0 });
    await gone[Symbol.asyncDispose]();
    await expect(gone.model.complete(asking(hello))).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
  });
});

it('stops reading when it is told to', async () => {
  await using server = await serving([{ raw: events('{"choices":[]}'), ending: 'hang' }]);
  const stop = new AbortController();
  const asked = server.model.complete(asking(hello, { signal: stop.signal }));
  void server.came(1).then(() => stop.abort(new Error('enough')));
  await expect(asked).rejects.toThrow('enough');
});

it('takes a key from nowhere else', async () => {
  await using server = await serving([{ text: 'hello' }]);
  const before = process.env['OPENAI_API_KEY'];
  process.env['OPENAI_API_KEY'] = 'sk-of-the-environment';
  try {
    await server.model.complete(asking(hello, { key: undefined }));
  } finally {
    if (before === undefined) delete process.env['OPENAI_API_KEY'];
    else process.env['OPENAI_API_KEY'] = before;
  }
  expect(server.asked[0]?.headers.authorization).toBeUndefined();
});

it.each([
  ['http://models.example/v1', 'use https'],
  ['https://user:pw@models.example/v1', 'write scheme'],
  ['http://127.0.0.1.evil.example/v1', 'use https'],
])('%s is no address for a key', (baseUrl, message) => {
  const parsed = modelSchema.safeParse({ provider: 'openai-compatible', model: 'x', baseUrl });
  expect(parsed.success).toBe(false);
  expect(JSON.stringify(parsed.error?.issues)).toContain(message);
});
