import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Governed, governed } from '../../../../../test/support/governed.ts';
import { pumpUntil, step } from '../../../../../test/support/pump.ts';
import type { Locks } from '../../../../adapters/state/port.ts';
import { AgovError } from '../../../../kernel/index.ts';
import { type Held, lockTtlMs, takeLocks } from './index.ts';

const graceMs = 10_000;
let one: Governed;
let locks: Locks;
beforeEach(async () => {
  one = await governed();
  locks = one.state.locks;
});
afterEach(() => one[Symbol.asyncDispose]());

const take = (names: readonly string[], owner: string, over: Locks = locks) =>
  takeLocks({ env: one.env, locks: over, graceMs }, names, owner);

async function held(names: readonly string[], owner: string, over?: Locks): Promise<Held> {
  const taken = await take(names, owner, over);
  if ('busy' in taken) throw new Error(`${taken.busy} is held by ${taken.by}`);
  return taken;
}

it('takes all of them or none, and says which is in the way', async () => {
  await using first = await held(['b', 'c'], 'first');
  expect(await take(['a', 'b', 'd'], 'second')).toEqual({ busy: 'b', by: 'first' });
  expect((await locks.held()).map(({ name }) => name)).toEqual(['b', 'c']);
  expect(Object.keys(first.tokens)).toEqual(['b', 'c']);
});

it('leaves none behind when the store fails half-way', async () => {
  const failing: Locks = {
    ...locks,
    acquire: (name, ...rest) => (name === 'b' ? Promise.reject(away()) : locks.acquire(name, ...rest)),
  };
  await expect(take(['a', 'b'], 'first', failing)).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
  expect(await locks.held()).toEqual([]);
});

it('keeps them past their own end, and lets them go when told', async () => {
  const first = await held(['a'], 'first');
  const start = one.env.now();
  await pumpUntil(one.env, () => one.env.now() > start + 4 * lockTtlMs(graceMs), 500);
  expect(first.lost.aborted).toBe(false);
  expect((await locks.holder('a'))?.token).toBe(first.tokens['a']);
  await first[Symbol.asyncDispose]();
  expect(await locks.held()).toEqual([]);
});

it('is lost when the store says that it is somebody else’s', async () => {
  await using first = await held(['a', 'b'], 'first');
  await locks.release('b', first.tokens['b'] ?? 0);
  await locks.acquire('b', 'thief', 60_000);
  await pumpUntil(one.env, () => first.lost.aborted);
  expect(first.lost.reason).toMatchObject({ code: 'LOCK_LOST', why: 'The lock "b" is somebody else\'s now.' });
});

it('is lost when the store is away for the grace, while it still keeps others out', async () => {
  let gone = false;
  const flaky: Locks = { ...locks, renew: (...of) => (gone ? Promise.reject(away()) : locks.renew(...of)) };
  await using first = await held(['a'], 'first', flaky);
  await step(one.env, 2000);
  gone = true;
  const from = one.env.now();
  await pumpUntil(one.env, () => one.env.now() > from + graceMs / 2);
  gone = false;
  await step(one.env, 2000);
  gone = true;
  const again = one.env.now();
  await pumpUntil(one.env, () => first.lost.aborted);
  // An absence that ends in time is forgotten; the next has the whole grace again, and no more.
  expect(one.env.now() - again).toBeGreaterThan(graceMs / 2);
  expect(one.env.now() - again).toBeLessThanOrEqual(graceMs);
  expect(await take(['a'], 'second')).toMatchObject({ busy: 'a' });
});

function away(): AgovError {
  return new AgovError('STATE_UNAVAILABLE', { what: 'It is away.' });
}
