/** The contract on redis-server, as a user who sees the keys of one hash tag alone; and what only this adapter promises. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.ts';
import { type RedisServer, redisServer } from '../../../../test/support/redis-server.ts';
import { systemEnv } from '../../../kernel/index.ts';
import { stateContract } from '../contract.ts';
import type { State } from '../port.ts';
import { type DragonflyState, openDragonflyState } from './index.ts';
import { openingScripts } from './open.ts';
import { boardScripts } from './sections/board.ts';
import { counterScripts } from './sections/counters.ts';
import { eventScripts } from './sections/events.ts';
import { lockScripts } from './sections/locks.ts';
import { registryScripts } from './sections/registry.ts';

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

  it('declares in KEYS whatever a script touches', async () => {
    const tag = `agov:t${++tags}`;
    await using state = await opened(tag);
    const admin = server.admin();
    const monitor = await admin.monitor();
    const ran = new Map<string, string[]>();
    const touched: { keys: readonly string[]; command: readonly string[] }[] = [];
    let keys: readonly string[] = [];
    const complete = new Promise<void>((resolve) => {
      monitor.on('monitor', (_time: string, args: string[], source: string) => {
        if (source === 'lua') touched.push({ keys, command: args });
        else if (/^eval/i.test(args[0] ?? '')) {
          keys = args.slice(3, 3 + Number(args[2]));
          ran.set(args[1] ?? '', [...keys]);
        } else if (/^ping$/i.test(args[0] ?? '')) resolve();
      });
    });
    await everything(state);
    await admin.ping();
    await complete;
    monitor.disconnect();

    const all = [openingScripts, boardScripts, counterScripts, eventScripts, lockScripts, registryScripts].flat();
    const missed = all.filter(({ sha, lua }) => !ran.has(sha) && !ran.has(lua)).map(({ name }) => name);
    expect(missed).toEqual(['probe']);
    expect([...ran.values()].flat().every((key) => key.startsWith(`{${tag}}:`))).toBe(true);
    expect(touched.length).toBeGreaterThan(all.length);
    for (const { keys: declared, command } of touched) {
      if (command[0] === 'TIME') continue;
      const used = (await admin.call('COMMAND', 'GETKEYS', ...command)) as string[]; // an array of keys by its manual
      expect(declared, command.join(' ')).toEqual(expect.arrayContaining(used));
    }
    // Each command it may need is one that the error about permissions names.
    const named = new Set(all.flatMap((script) => script.commands));
    expect(touched.map(({ command }) => command[0]).filter((name) => !named.has(name ?? ''))).toEqual([]);
  });

  it('keeps the newest 10,000 events and a few', async () => {
    await using state = await opened(`agov:t${++tags}`);
    for (let round = 0; round < 21; round++) {
      await Promise.all(Array.from({ length: 500 }, (_, n) => state.events.publish('n', { n: 500 * round + n })));
    }
    const oldest = (await state.events.read(0, 1))[0]?.body['n'];
    expect(oldest).toBeGreaterThan(300);
    expect(oldest).toBeLessThanOrEqual(500);
  });

  it('gives greater tokens and numbers when everything was forgotten, and versions begin anew', async () => {
    await using state = await opened(`agov:t${++tags}`);
    const before = await state.locks.acquire('deploy', 'amy', 60_000);
    const seq = await state.events.publish('run', {});
    await server.admin().flushall();
    expect(await state.locks.renew('deploy', before?.token ?? 0, 1000)).toBe(false);
    const after = await state.locks.acquire('deploy', 'zed', 60_000);
    expect(after?.token).toBeGreaterThan(before?.token ?? Number.POSITIVE_INFINITY);
    expect(await state.locks.release('deploy', before?.token ?? 0)).toBe(false);
    expect(await state.events.publish('run', {})).toBeGreaterThan(seq);
    expect(await state.events.last()).toBeGreaterThan(seq);
  });

  it('gives greater tokens when an older snapshot came back', async () => {
    const tag = `agov:t${++tags}`;
    await using state = await opened(tag);
    const admin = server.admin();
    await state.locks.acquire('deploy', 'amy', 1);
    const fence = (await admin.get(`{${tag}}:fence`)) ?? '';
    await env.sleep(2);
    const lost = await state.locks.acquire('deploy', 'amy', 1);
    await admin.set(`{${tag}}:fence`, fence);
    await env.sleep(2);
    expect((await state.locks.acquire('deploy', 'zed', 1000))?.token).toBeGreaterThan(lost?.token ?? Infinity);
  });

  it('lets many follow over one connection, and none when nobody does', async () => {
    const tag = `agov:t${++tags}`;
    await using state = await opened(tag);
    const stop = new AbortController();
    const followers = Array.from({ length: 20 }, () => state.events.follow(stop.signal)[Symbol.asyncIterator]());
    const first = followers.map((events) => events.next());
    const seq = await state.events.publish('run', {});
    expect((await Promise.all(first)).map(({ value }) => value.seq)).toEqual(Array(20).fill(seq));
    const { name } = await server.user(tag);
    const connections = async (): Promise<number> => {
      const list = String(await server.admin().call('CLIENT', 'LIST'));
      return list.split('\n').filter((line) => line.includes(`user=${name} `)).length;
    };
    expect(await connections()).toBe(2);
    stop.abort();
    for (const events of followers) expect(await events.next()).toMatchObject({ done: true });
    await expect.poll(connections).toBe(1);
    const again = state.events.follow(new AbortController().signal, seq)[Symbol.asyncIterator]();
    const next = again.next();
    const second = await state.events.publish('run', {});
    expect(await next).toMatchObject({ value: { seq: second } });
    await again.return?.();
  });

  it('says what is damaged, and is whole again once it was cleared', async () => {
    const tag = `agov:t${++tags}`;
    await using state = await opened(tag);
    const admin = server.admin();
    const corrupt = { code: 'STATE_CORRUPT', fix: expect.stringContaining('agov state rebuild') };
    await admin.hset(`{${tag}}:agents`, 'amy', '{"name":"amy"}');
    await admin.hset(`{${tag}}:counters`, 'spent', 'much');
    await admin.hset(`{${tag}}:board`, 'plan', 'no version');
    await admin.set(`{${tag}}:runs`, 'no hash');
    await admin.xadd(`{${tag}}:events`, '5-3', 'a', 'b');
    await expect(state.registry.get('amy')).rejects.toMatchObject(corrupt);
    await expect(state.registry.list()).rejects.toMatchObject(corrupt);
    await expect(state.registry.liveRuns()).rejects.toMatchObject(corrupt);
    await expect(state.counters.add('spent', 1)).rejects.toMatchObject(corrupt);
    await expect(state.board.set('plan', 1, 0)).rejects.toMatchObject(corrupt);
    await expect(state.events.publish('run', {})).rejects.toMatchObject(corrupt);
    await expect(state.events.read(0)).rejects.toMatchObject(corrupt);
    const held = await state.locks.acquire('deploy', 'amy', 60_000);
    await state.clear();
    await everything(state);
    expect(await state.locks.holder('deploy')).toMatchObject({ token: held?.token });
  });

  it('cannot be used after it is closed, and closes twice', async () => {
    const state = await opened(`agov:t${++tags}`);
    const events = state.events.follow(new AbortController().signal)[Symbol.asyncIterator]();
    const next = events.next();
    await state.events.last();
    await state[Symbol.asyncDispose]();
    await state[Symbol.asyncDispose]();
    await expect(next).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    await expect(state.counters.get('n')).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
  });
});

/** Each call of the port at least once, on each of its ways. */
async function everything(state: State & Partial<DragonflyState>): Promise<void> {
  const { registry, locks, counters, board, events } = state;
  const process = { host: 'h/b', governorPid: 1, processGroup: 2, processStart: '3', sandbox: 'none' } as const;
  const run = { intent: 'i', run: 'r', agent: 'amy', ...process, startedAt: 1, beatAt: 1 };
  await registry.put({ name: 'amy', tier: 'T1', status: 'active', operator: 'o', createdAt: 1, changedAt: 1 });
  expect([(await registry.list()).length, (await registry.get('amy'))?.name]).toEqual([1, 'amy']);
  await registry.startRun(run);
  expect([await registry.beat(['i', 'j'], 5), await registry.liveRuns()]).toEqual([['j'], [{ ...run, beatAt: 5 }]]);
  await registry.endRun('i');
  await registry.stopRun({ run: 'r', reason: 'why' });
  expect(await registry.standings([run])).toMatchObject([{ agent: { name: 'amy' }, stopped: 'why' }]);
  expect(await registry.stoppedRuns()).toEqual([{ run: 'r', reason: 'why' }]);
  const grant = await locks.acquire('all', 'amy', 5000);
  const token = grant?.token ?? 0;
  expect([await locks.holder('all'), (await locks.held())[0]]).toMatchObject([{ token }, { name: 'all', token }]);
  expect([await locks.renew('all', token, 5000), await locks.release('all', token)]).toEqual([true, true]);
  await counters.add('all', 3);
  expect([await counters.add('all', 1, 3), await counters.get('all')]).toEqual([{ value: 3, accepted: false }, 3]);
  await counters.reset('all');
  await board.set('all', 1, 0);
  expect([await board.get('all'), (await board.list('al')).length]).toMatchObject([{ version: 1 }, 1]);
  expect(await board.remove('all', 1)).toBe(true);
  const seq = await events.publish('all', {});
  expect([await events.last(), (await events.read(seq - 1)).length]).toEqual([seq, 1]);
  await state.clear?.();
}
