import { expect, it, onTestFinished, vi } from 'vitest';
import { fakeEnv } from '../../../test/support/fake-env.ts';
import { AgovError, isAgovError, systemEnv } from '../../kernel/index.ts';
import { isSigningOutage, isStateOutage, isVaultOutage, openBreaker } from './index.ts';

const away = () =>
  new AgovError('STATE_UNAVAILABLE', { what: 'It refuses connections.', why: 'So.', fix: 'Start it.' });
const fails = (error: unknown = away()) => Promise.reject(error);
const caught = (promise: Promise<unknown>): Promise<AgovError> =>
  promise.then(
    () => {
      throw new Error('It did not fail.');
    },
    (error) => error,
  );

function opened() {
  const env = fakeEnv();
  const breaker = openBreaker({ name: 'state', env, isOutage: isStateOutage });
  let asked = 0;
  const ask = (answer: () => Promise<unknown>) =>
    breaker.call(() => {
      asked += 1;
      return answer();
    });
  return { env, breaker, ask, asked: () => asked };
}

async function broken() {
  const all = opened();
  for (let i = 0; i < 3; i++) await caught(all.ask(fails));
  return all;
}

it('opens at the third failure in a row, and then asks nobody', async () => {
  const { breaker, ask, asked } = opened();
  await caught(ask(fails));
  await caught(ask(fails));
  await ask(async () => 1);
  await caught(ask(fails));
  await caught(ask(fails));
  expect(breaker.status()).toEqual({ name: 'state', state: 'closed', opened: 0 });
  await caught(ask(fails));
  expect(breaker.status()).toMatchObject({ state: 'open', reason: 'It refuses connections.', opened: 1 });
  await caught(ask(async () => 1));
  expect(asked()).toBe(6);
});

it('fails with the same code, the reason, since when, and when it will be tried again', async () => {
  const { env, breaker, ask } = await broken();
  const { nextTryAt, since } = breaker.status();
  expect(Date.parse(nextTryAt ?? '') - env.now()).toBeGreaterThanOrEqual(125);
  expect(Date.parse(nextTryAt ?? '') - env.now()).toBeLessThanOrEqual(250);
  const error = await caught(ask(async () => 1));
  expect(error).toMatchObject({
    code: 'STATE_UNAVAILABLE',
    retry: true,
    what: 'It refuses connections.',
    why: `So. It has failed since ${since} and is left alone until ${nextTryAt}.`,
    fix: 'Start it.',
    details: { breaker: 'state', since, nextTryAt },
  });
});

it('lets one call try, fails the others meanwhile, and closes when that one is answered', async () => {
  const { env, breaker, ask, asked } = await broken();
  env.advance(250);
  const trial = Promise.withResolvers<unknown>();
  const probe = ask(() => trial.promise);
  const other = caught(ask(async () => 1));
  expect(breaker.status().state).toBe('half-open');
  expect(isAgovError(await other, 'STATE_UNAVAILABLE')).toBe(true);
  expect(asked()).toBe(4);
  trial.resolve('back');
  expect(await probe).toBe('back');
  expect(breaker.status()).toEqual({ name: 'state', state: 'closed', opened: 1 });
  expect(await ask(async () => 2)).toBe(2);
});

it('waits longer after each trial that failed, up to two seconds, and tells since when all along', async () => {
  const { env, breaker, ask, asked } = await broken();
  const { since } = breaker.status();
  for (let i = 0; i < 8; i++) {
    env.advance(2000);
    await caught(ask(fails));
  }
  expect(asked()).toBe(11);
  expect(breaker.status()).toMatchObject({ state: 'open', since });
  const wait = Date.parse(breaker.status().nextTryAt ?? '') - env.now();
  expect(wait).toBeGreaterThanOrEqual(1000);
  expect(wait).toBeLessThanOrEqual(2000);
});

it('is not held open by a wall clock that is set back, neither that of Env nor that of the system', async () => {
  const { env, breaker, ask } = await broken();
  env.setNow(env.now() - 3_600_000);
  onTestFinished(() => void vi.useRealTimers());
  vi.useFakeTimers({ toFake: ['Date'], now: systemEnv().now() - 3_600_000 });
  env.advance(250);
  expect(await ask(async () => 'back')).toBe('back');
  expect(breaker.status().state).toBe('closed');
});

it('takes a refusal for an answer: it neither opens the breaker nor keeps it open', async () => {
  const { breaker, ask } = opened();
  const refused = new AgovError('NOT_FOUND', { what: 'There is none.' });
  const forbidden = new AgovError('STATE_UNAVAILABLE', { what: 'No.', details: { reply: 'NOPERM' } });
  for (let i = 0; i < 5; i++) expect(await caught(ask(() => fails(refused)))).toBe(refused);
  for (let i = 0; i < 5; i++) expect(await caught(ask(() => fails(forbidden)))).toBe(forbidden);
  expect(breaker.status().state).toBe('closed');
  const { env, breaker: other, ask: again } = await broken();
  env.advance(250);
  expect(await caught(again(() => fails(refused)))).toBe(refused);
  expect(other.status().state).toBe('closed');
});

it('never holds back what takes authority away, and learns from it', async () => {
  const { breaker, ask } = await broken();
  expect(await breaker.pass(async () => 'revoked')).toBe('revoked');
  expect(await ask(async () => 1)).toBe(1);
  for (let i = 0; i < 3; i++) await caught(breaker.pass(() => fails()));
  expect(breaker.status().state).toBe('open');
  expect(await caught(breaker.pass(() => fails(new Error('other'))))).toMatchObject({ message: 'other' });
});

it('does not let an urgent call wait for the one that tries', async () => {
  const { env, breaker, ask } = await broken();
  env.advance(250);
  const trial = Promise.withResolvers<unknown>();
  const probe = ask(() => trial.promise);
  expect(await breaker.pass(async () => 'revoked')).toBe('revoked');
  trial.resolve(1);
  await probe;
});

it.each([
  ['sealed', true],
  ['throttled', true],
  ['deadline', true],
  ['server', true],
  ['engine', false],
  ['garbage', false],
  ['capability', false],
  ['unrevoked', false],
])('Vault that says %s is away: %s', (reason, outage) => {
  expect(isVaultOutage(new AgovError('SECRETS_UNAVAILABLE', { what: 'No.', details: { reason } }))).toBe(outage);
});

it('counts what fails at one path where that path is all there is', () => {
  const broken = (reason: string) => new AgovError('LEDGER_UNAVAILABLE', { what: 'No.', details: { reason } });
  expect(['engine', 'garbage', 'server', 'capability'].map((one) => isSigningOutage(broken(one)))).toEqual([
    ...[true, true, true, false],
  ]);
});
