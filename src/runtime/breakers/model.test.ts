import { expect, it } from 'vitest';
import { fakeEnv } from '../../../test/support/fake-env.ts';
import { modelServer } from '../../../test/support/model-server.ts';
import { asking } from '../../adapters/models/contract.ts';
import { openModel } from '../../adapters/models/sdk/index.ts';
import { modelSchema } from '../../schemas/index.ts';
import { guardModel, isModelOutage, openBreaker } from './index.ts';

it('leaves a model alone that is away, and finds it again; a refusal is an answer', async () => {
  const env = fakeEnv();
  const away = { status: 503 };
  await using server = await modelServer([{ status: 400 }, away, away, away, { text: 'back' }]);
  const settings = { provider: 'openai-compatible', model: 'scripted', baseUrl: server.url, maxRetries: 0 };
  const breaker = openBreaker({ name: 'model main', env, isOutage: isModelOutage });
  const model = guardModel(openModel('main', modelSchema.parse(settings), env), breaker);
  const ask = () => model.complete(asking([{ role: 'user', text: 'x' }]));

  await expect(ask()).rejects.toMatchObject({ code: 'MODEL_FAILED' });
  for (let i = 0; i < 3; i++) await expect(ask()).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
  await expect(ask()).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE', details: { breaker: 'model main' } });
  expect(server.asked).toHaveLength(4);
  env.advance(2000);
  expect(await ask()).toMatchObject({ text: 'back' });
  expect(breaker.status()).toMatchObject({ state: 'closed', opened: 1 });
});
