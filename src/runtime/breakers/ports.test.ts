import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeEnv, fakeEnv } from '../../../test/support/fake-env.ts';
import { openEmbeddedState } from '../../adapters/state/embedded/index.ts';
import type { AgentRecord, State } from '../../adapters/state/port.ts';
import { AgovError } from '../../kernel/index.ts';
import { type Breaker, guardState, isStateOutage, openBreaker } from './index.ts';

let folder: string;
let env: FakeEnv;
let store: State;
let breaker: Breaker;
/** A store that works behind a breaker that is open: what passes is what the breaker lets pass. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agov-ports-'));
  env = fakeEnv();
  store = await openEmbeddedState({ path: join(folder, 'state.db'), env });
  breaker = openBreaker({ name: 'state', env, isOutage: isStateOutage });
  const away = new AgovError('STATE_UNAVAILABLE', { what: 'It is away.' });
  for (let i = 0; i < 3; i++) await breaker.call(() => Promise.reject(away)).catch(() => undefined);
  expect(breaker.status().state).toBe('open');
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const bob: AgentRecord = {
  ...{ name: 'bob', tier: 'T1', status: 'active', operator: 'ada' },
  ...{ createdAt: 1, changedAt: 1 },
};
const held = { code: 'STATE_UNAVAILABLE', details: { breaker: 'state' } };

describe('while the breaker is open', () => {
  it('every section is held', async () => {
    const { registry, locks, counters, board, events } = guardState(store, breaker);
    const calls = [
      ...[registry.get('bob'), registry.list(), registry.liveRuns(), registry.put(bob), locks.acquire('a', 'b', 1)],
      ...[locks.holder('a'), counters.add('a', 1), counters.get('a'), board.get('a'), board.set('a', 1, 0)],
      ...[board.list(''), events.read(0), events.last()],
    ];
    for (const settled of await Promise.allSettled(calls)) expect(settled).toMatchObject({ reason: held });
  });

  it.each(['frozen', 'retired', 'revoked'] as const)('a mark that says %s passes', async (status) => {
    await guardState(store, breaker).registry.put({ ...bob, status });
    expect((await store.registry.get('bob'))?.status).toBe(status);
  });

  it('an announcement passes, and following goes on', async () => {
    const { events } = guardState(store, breaker);
    const stop = new AbortController();
    const followed = events.follow(stop.signal, 0)[Symbol.asyncIterator]();
    await events.publish('agent.revoked', { agent: 'bob' });
    expect((await followed.next()).value).toMatchObject({ topic: 'agent.revoked' });
    stop.abort();
  });

  it('a kill passes altogether, and closes the breaker for the others', async () => {
    expect(await guardState(store, breaker, 'urgent').registry.liveRuns()).toEqual([]);
    expect(await guardState(store, breaker).registry.list()).toEqual([]);
  });
});
