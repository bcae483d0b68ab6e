/** The contract on one SQLite file, and what only this adapter promises: private files, pruning, one file for all. */
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeEnv } from '../../../../test/support/fake-env.ts';
import { stateContract } from '../contract.ts';
import { openEmbeddedState, setStateAside } from './index.ts';

stateContract('embedded', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'agov-state-'));
  const path = join(folder, 'state.db');
  const env = fakeEnv();
  const first = await openEmbeddedState({ path, env });
  const second = await openEmbeddedState({ path, env });
  const close = new AsyncDisposableStack();
  close.defer(() => rmSync(folder, { recursive: true }));
  close.use(first);
  close.use(second);
  return {
    first,
    second,
    now: () => env.now(),
    slack: 0,
    advance: async (ms) => env.advance(ms),
    async reopen() {
      await first[Symbol.asyncDispose]();
      await second[Symbol.asyncDispose]();
      return close.use(await openEmbeddedState({ path, env }));
    },
    [Symbol.asyncDispose]: () => close.disposeAsync(),
  };
});

describe('the embedded state file', () => {
  let folder: string;
  let path: string;
  const env = fakeEnv();
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'agov-state-'));
    path = join(folder, 'deep', 'state.db');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is readable by its owner only, with its log and its folder', async () => {
    await using state = await openEmbeddedState({ path, env });
    await state.counters.add('n', 1);
    const modes = ['', '-wal', '-shm', '/..'].map((suffix) => statSync(join(path + suffix)).mode & 0o777);
    expect(modes).toEqual([0o600, 0o600, 0o600, 0o700]);
  });

  it('keeps the newest 10,000 events', async () => {
    await using state = await openEmbeddedState({ path, env });
    let newest = 0;
    for (let n = 1; n <= 10_050; n++) newest = await state.events.publish('n', { n });
    const all = await state.events.read(0, 10_000);
    expect(all.length).toBe(10_000);
    expect([all[0]?.body, all.at(-1)?.seq]).toEqual([{ n: 51 }, newest]);
  });

  it('wakes a follower of the same handle without waiting for the clock', async () => {
    await using state = await openEmbeddedState({ path, env });
    const stop = new AbortController();
    const events = state.events.follow(stop.signal)[Symbol.asyncIterator]();
    const next = events.next();
    await new Promise((resolve) => setImmediate(resolve));
    const seq = await state.events.publish('run', {});
    expect(await next).toMatchObject({ done: false, value: { seq } });
    stop.abort();
    expect(await events.next()).toMatchObject({ done: true });
  });

  it('notices another handle within 25 ms of the clock', async () => {
    await using follower = await openEmbeddedState({ path, env });
    await using publisher = await openEmbeddedState({ path, env });
    const stop = new AbortController();
    const next = follower.events.follow(stop.signal)[Symbol.asyncIterator]().next();
    await new Promise((resolve) => setImmediate(resolve));
    const seq = await publisher.events.publish('run', {});
    env.advance(25);
    expect(await next).toMatchObject({ value: { seq } });
    stop.abort();
  });

  it('cannot be used after it is closed, and closes twice', async () => {
    const state = await openEmbeddedState({ path, env });
    await state[Symbol.asyncDispose]();
    await state[Symbol.asyncDispose]();
    await expect(state.counters.get('n')).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
  });

  it('goes on in the new file when a rebuild has put one in its place, with greater tokens and numbers', async () => {
    await using governor = await openEmbeddedState({ path, env });
    const grant = await governor.locks.acquire('deploy', 'amy', 1000);
    const seq = await governor.events.publish('run', {});

    const aside = setStateAside(path, env);
    await expect(governor.locks.holder('deploy')).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    env.advance(1);
    await using rebuilt = await openEmbeddedState({ path, env });
    await rebuilt.counters.add('rebuilt', 1);

    expect(await governor.counters.get('rebuilt')).toBe(1);
    expect((await governor.locks.acquire('deploy', 'amy', 1000))?.token).toBeGreaterThan(grant?.token ?? Infinity);
    expect(await rebuilt.locks.holder('deploy')).toBeDefined();
    expect(await governor.events.publish('run', {})).toBeGreaterThan(seq);
    expect(aside && existsSync(aside)).toBe(true);
    expect(setStateAside(join(folder, 'none.db'), env)).toBeUndefined();
  });

  it('wakes a follower when the file has been replaced', async () => {
    await using follower = await openEmbeddedState({ path, env });
    const stop = new AbortController();
    const next = follower.events.follow(stop.signal)[Symbol.asyncIterator]().next();
    await new Promise((resolve) => setImmediate(resolve));
    setStateAside(path, env);
    await using publisher = await openEmbeddedState({ path, env });
    const seq = await publisher.events.publish('run', {});
    env.advance(25);
    expect(await next).toMatchObject({ value: { seq } });
    stop.abort();
  });
});
