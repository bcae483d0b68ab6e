/** The contract on a real server, by a user who has no more than the guide says. */
import { afterAll, beforeAll } from 'vitest';
import { describeWith } from '../../../../test/support/needs.ts';
import { type RedisServer, redisServer } from '../../../../test/support/redis-server.ts';
import { systemEnv } from '../../../kernel/index.ts';
import { queueContract } from '../contract.ts';
import { openBullmq } from './index.ts';

describeWith('redis-server', 'queue on Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await redisServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  queueContract(async () =>
    openBullmq({ url: `redis://127.0.0.1:${server.port}`, env: systemEnv(), tag: 'agov:contract', format: 1 }),
  );
});
