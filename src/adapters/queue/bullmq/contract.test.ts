/** The contract on a real server, by a user who has the commands of docs/guide/workers.md and the keys of one project. */
import { afterAll, beforeAll } from 'vitest';
import { describeWith } from '../../../../test/support/needs.ts';
import { queueCommands, type RedisServer, redisServer } from '../../../../test/support/redis-server.ts';
import { systemEnv } from '../../../kernel/index.ts';
import { queueContract } from '../contract.ts';
import { openBullmq } from './index.ts';

describeWith('redis-server', 'queue on Redis', () => {
  const tag = 'agov:contract';
  let server: RedisServer;
  beforeAll(async () => {
    server = await redisServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  queueContract(async () => {
    const { name, password } = await server.user(tag, queueCommands.split(' '));
    const url = `redis://${name}@127.0.0.1:${server.port}`;
    return openBullmq({ url, password, tag, env: systemEnv(), format: 1 });
  });
});
