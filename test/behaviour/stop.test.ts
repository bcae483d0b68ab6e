import { afterEach, beforeEach, expect, it } from 'vitest';
import { unconfinedSandbox } from '../../src/adapters/sandbox/none/index.ts';
import type { Running } from '../../src/adapters/sandbox/port.ts';
import { openEmbeddedState } from '../../src/adapters/state/embedded/index.ts';
import type { State } from '../../src/adapters/state/port.ts';
import { type Env, systemEnv } from '../../src/kernel/index.ts';
import { watchForStop } from '../../src/work/agents/stop.ts';
import { fakeEnv } from '../support/fake-env.ts';
import { type Governed, governed } from '../support/governed.ts';

const env = systemEnv();
let one: Governed;
let state: State & AsyncDisposable;
let running: Running;
beforeEach(async () => {
  one = await governed({ agents: { bob: 'T1' } });
  state = await openEmbeddedState({ path: `${one.dir}/state.db`, env });
  const { workspace } = one.channel('bob');
  running = await unconfinedSandbox({ env }).start({
    argv: ['sleep', '600'],
    env: {},
    stdin: 'none',
    profile: {
      ...{ workspace, access: 'read-write', network: { mode: 'none' } },
      ...{ hidden: [], protected: [], readOnly: [], readWrite: [] },
    },
  });
  running.stdout.resume();
  running.stderr.resume();
});
afterEach(async () => {
  await running.kill();
  await state[Symbol.asyncDispose]();
  await one[Symbol.asyncDispose]();
});

const watch = (clock: Env = env) => {
  const parts = { env: clock, state, governor: one.governor, host: 'here' };
  return watchForStop(parts, { channel: one.channel('bob') }, running, 'intent');
};

async function markAs(status: 'retired' | 'revoked'): Promise<void> {
  const agent = await state.registry.get('bob');
  if (!agent) throw new Error('bob is not registered');
  await state.registry.put({ ...agent, status });
}

it('lists the run while it lives, and no longer', async () => {
  const stop = await watch();
  expect(await state.registry.liveRuns('bob')).toMatchObject([{ run: 'intent', processGroup: running.pid }]);
  await stop.end();
  expect(await state.registry.liveRuns('bob')).toEqual([]);
});

it('kills a command whose agent was revoked between its start and now', async () => {
  await markAs('revoked');
  const stop = await watch();
  expect(await running.exit).toMatchObject({ signal: 'SIGKILL' });
  expect(await stop.reason(true)).toContain('was revoked as it started');
  await stop.end();
});

it('kills at the next heartbeat what a lost announcement left alive', async () => {
  const clock = fakeEnv();
  const stop = await watch(clock);
  await markAs('revoked');
  clock.advance(1000);
  expect(await running.exit).toMatchObject({ signal: 'SIGKILL' });
  await stop.end();
});

it('lets a retired agent end what it runs', async () => {
  const clock = fakeEnv();
  const stop = await watch(clock);
  await markAs('retired');
  clock.advance(1000);
  await expect.poll(async () => (await state.registry.liveRuns('bob'))[0]?.beatAt).toBe(clock.now());
  expect(await stop.reason(false)).toBeUndefined();
  await stop.end();
});

it('kills a command that it cannot watch', async () => {
  await state[Symbol.asyncDispose]();
  await expect(watch()).rejects.toThrow();
  expect(await running.exit).toMatchObject({ signal: 'SIGKILL' });
});

it('kills a command when the state store stops answering', async () => {
  const stop = await watch();
  await state[Symbol.asyncDispose]();
  expect(await running.exit).toMatchObject({ signal: 'SIGKILL' });
  expect(await stop.reason(true)).toContain('stopped answering');
  await expect(stop.end()).rejects.toThrow();
});
