/** What networks and servers do: no call outlives its deadline, no answer is wrong, and it goes on without a restart. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type FaultProxy, faultProxy } from '../../../../test/support/fault-proxy.ts';
import { describeWith } from '../../../../test/support/needs.ts';
import { type RedisServer, redisServer } from '../../../../test/support/redis-server.ts';
import { isAgovError, systemEnv } from '../../../kernel/index.ts';
import type { StateEvent } from '../port.ts';
import { type DragonflyState, openDragonflyState } from './index.ts';

const env = systemEnv();
const deadlineMs = 400;
const unavailable = { code: 'STATE_UNAVAILABLE', fix: expect.any(String) };

describeWith('redis-server', 'a server that fails', () => {
  let server: RedisServer;
  let proxy: FaultProxy;
  let tags = 0;
  let tag: string;
  beforeAll(async () => {
    server = await redisServer();
    proxy = await faultProxy(server.port);
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    tag = `agov:f${++tags}`;
    proxy.set({});
  });

  async function opened(graceMs = 5000): Promise<DragonflyState> {
    const { name, password } = await server.user(tag);
    return openDragonflyState({
      url: `redis://${name}@127.0.0.1:${proxy.port}`,
      env,
      tag,
      password,
      deadlineMs,
      graceMs,
    });
  }

  /** Asserts that it fails as unavailable, by the deadline. */
  async function fails(call: Promise<unknown>): Promise<void> {
    const from = env.monotonic();
    await expect(call).rejects.toMatchObject(unavailable);
    expect(env.monotonic() - from).toBeLessThan(deadlineMs + 200);
  }

  /** Asks until it answers again, as whoever uses it would. */
  async function recovers<T>(call: () => Promise<T>): Promise<T> {
    for (const from = env.monotonic(); ; await env.sleep(20)) {
      try {
        return await call();
      } catch (error) {
        if (!isAgovError(error, 'STATE_UNAVAILABLE') || env.monotonic() - from > 5000) throw error;
      }
    }
  }

  it('is slow by 2 s: each call ends by its deadline, and what was done late is not done twice', async () => {
    await using state = await opened();
    // From here on the server knows the scripts, so that what is asked is done at once and the answer alone is late.
    await state.counters.reset((await state.counters.add('n', 1)).accepted ? 'n' : '');
    await state.locks.acquire('other', 'amy', 1000);
    proxy.set({ delayMs: 2000 });
    const calls = [state.counters.add('n', 1), state.counters.get('n'), state.locks.acquire('deploy', 'amy', 60_000)];
    await Promise.all(calls.map(fails));
    proxy.set({});
    expect(await recovers(() => state.counters.get('n'))).toBe(1);
    expect(await state.locks.acquire('deploy', 'zed', 1000)).toBeUndefined();
  });

  it('is slower than usual, within the deadline: nothing fails', async () => {
    await using state = await opened();
    proxy.set({ delayMs: 60 });
    expect(await state.counters.add('n', 1)).toEqual({ value: 1, accepted: true });
  });

  it('closes every tenth connection: what may be repeated succeeds, what may not is counted at most once', async () => {
    await using state = await opened();
    proxy.set({ cutEvery: 10 });
    let accepted = 0;
    for (let n = 0; n < 60; n++) {
      await state.registry.list();
      await state.counters.add('n', 1).then(
        () => accepted++,
        (error) => expect(error).toMatchObject(unavailable),
      );
      // Each round has connections of its own.
      proxy.cut();
    }
    const value = await recovers(() => state.counters.get('n'));
    expect(accepted).toBeGreaterThan(30);
    expect(value).toBeGreaterThanOrEqual(accepted);
    expect(value).toBeLessThanOrEqual(60);
  });

  it('answers nothing at all: calls end by the deadline, later ones at once or by it, and it comes back', async () => {
    await using state = await opened();
    proxy.set({ blackHole: true });
    await fails(state.counters.get('n'));
    for (let n = 0; n < 3; n++) await fails(state.counters.add('n', 1));
    proxy.set({});
    expect(await recovers(() => state.counters.add('n', 1))).toEqual({ value: 1, accepted: true });
  });

  it.each([
    ['text of another protocol', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['an answer of the right form to no question', '*2\r\n$2\r\nq1\r\n$1\r\n7\r\n'],
    ['zero bytes', '\0\0\0\0\0\0\0\0'],
    ['an endless number', '$999999999999999999999\r\n'],
    ['a negative length', '*-7\r\n'],
  ])('answers %s: no answer is taken from it', async (_name, text) => {
    await using state = await opened();
    await state.counters.add('n', 1);
    proxy.set({ garbage: Buffer.from(text) });
    for (let n = 0; n < 3; n++) await fails(state.counters.get('n'));
    proxy.set({});
    expect(await recovers(() => state.counters.get('n'))).toBe(1);
  });

  it('slips in an answer too many: none is taken for that of another call', async () => {
    await using state = await opened();
    await state.counters.add('other', 99);
    proxy.set({ slipIn: Buffer.from('*2\r\n$2\r\nq2\r\n$2\r\n99\r\n') });
    const answers = await Promise.allSettled([1, 2, 3, 4].map(() => state.counters.get('n')));
    const values = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : unavailable.code));
    expect(values.filter((value) => value !== 0 && value !== unavailable.code)).toEqual([]);
    expect(await recovers(() => state.counters.get('n'))).toBe(0);
  });

  it('is killed and started again: refused meanwhile, at once, and then it goes on', async () => {
    await using state = await opened();
    const token = (await state.locks.acquire('deploy', 'amy', 60_000))?.token ?? Number.POSITIVE_INFINITY;
    await server.kill();
    for (let n = 0; n < 5; n++) await fails(state.locks.holder('deploy'));
    await server.start();
    const next = await recovers(() => state.locks.acquire('deploy', 'zed', 1000));
    expect(next?.token).toBeGreaterThan(token);
  });

  it('loses no event and shows none twice over cuts, a flush and a slow wire', async () => {
    await using publisher = await opened();
    await using follower = await opened();
    const stop = new AbortController();
    const seen: StateEvent[] = [];
    const following = (async () => {
      for await (const event of follower.events.follow(stop.signal)) {
        seen.push(event);
        if (event.topic === 'end') stop.abort();
      }
    })();
    await follower.events.last();
    const published: number[] = [];
    for (let n = 0; n < 120; n++) {
      if (n % 15 === 7) proxy.cut();
      if (n % 40 === 20) proxy.set({ delayMs: n % 80 === 20 ? 15 : 0 });
      if (n === 60) {
        // What was forgotten before it was read is lost; so we let it be read first.
        await expect.poll(() => seen.length).toBe(published.length);
        await server.admin().flushall();
      }
      await publisher.events.publish('n', { n }).then(
        (seq) => published.push(seq),
        async () => {
          // Whether it was published is not known: the follower's word is as good as any.
          const last = await recovers(() => publisher.events.last());
          const known = published.at(-1) ?? 0;
          for (const { seq } of await recovers(() => publisher.events.read(known)))
            if (seq <= last) published.push(seq);
        },
      );
    }
    published.push(await recovers(() => publisher.events.publish('end', {})));
    await following;
    const numbers = seen.map((event) => event.seq);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(numbers).toEqual(published);
  });

  it('stays away: a follow ends with the reason when the grace is over, and not before', async () => {
    await using state = await opened(600);
    const stop = new AbortController();
    const next = state.events.follow(stop.signal)[Symbol.asyncIterator]().next();
    next.catch(() => undefined);
    await state.events.last();
    const from = env.monotonic();
    await server.kill();
    await expect(next).rejects.toMatchObject(unavailable);
    expect(env.monotonic() - from).toBeGreaterThan(500);
    await server.start();
    expect(await recovers(() => state.events.last())).toBe(0);
  });
});
