/** The contract on redis-server, as a user who sees the keys of one hash tag alone; and what only this adapter promises. */
import { afterAll, beforeAll } from 'vitest';
import { describeWith } from '../../../../test/support/needs.ts';
import { type RedisServer, redisServer } from '../../../../test/support/redis-server.ts';
import { systemEnv } from '../../../kernel/index.ts';
import { stateContract } from '../contract.ts';
import { type DragonflyState, openDragonflyState } from './index.ts';

const env = systemEnv();

describeWith('redis-server', 'state on a server of the Redis protocol', () => {
  let server: RedisServer;
  let tags = 0;
  beforeAll(async () => {
    server = await redisServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  async function opened(tag: string, extra: readonly string[] = []): Promise<DragonflyState> {
    const { name, password } = await server.user(tag, extra);
    return openDragonflyState({ url: `redis://${name}@127.0.0.1:${server.port}`, env, tag, password });
  }

  stateContract('redis-server', async () => {
    const tag = `agov:t${++tags}`;
    const close = new AsyncDisposableStack();
    const first = close.use(await opened(tag));
    const second = close.use(await opened(tag));
    return {
      first,
      second,
      now: () => env.now(),
      slack: 250,
      advance: (ms) => env.sleep(ms),
      async reopen() {
        await first[Symbol.asyncDispose]();
        await second[Symbol.asyncDispose]();
        return close.use(await opened(tag));
      },
      [Symbol.asyncDispose]: () => close.disposeAsync(),
    };
  });
});
