/** What stops a command that runs: each way in which its authority can end, and none in which it has not. */
import { renameSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { unconfinedSandbox } from '../../src/adapters/sandbox/none/index.ts';
import type { Running } from '../../src/adapters/sandbox/port.ts';
import { openEmbeddedState, setStateAside } from '../../src/adapters/state/embedded/index.ts';
import type { AgentRecord, State } from '../../src/adapters/state/port.ts';
import { openStandings } from '../../src/governance/standing/index.ts';
import { type Env, systemEnv } from '../../src/kernel/index.ts';
import type { Tier } from '../../src/schemas/index.ts';
import { announceHalt, createWatch } from '../../src/work/agents/index.ts';
import { type FakeEnv, fakeEnv } from '../support/fake-env.ts';
import { type Governed, governed } from '../support/governed.ts';
import { lives } from '../support/processes.ts';

const env = systemEnv();
let one: Governed;
let state: State & AsyncDisposable;
let running: Running;
beforeEach(async () => {
  one = await governed({ agents: { bob: 'T1' } });
  state = await openEmbeddedState({ path: `${one.dir}/state.db`, env });
  running = await command();
});
afterEach(async () => {
  await running.kill();
  await state[Symbol.asyncDispose]();
  await one[Symbol.asyncDispose]();
});

async function command(): Promise<Running> {
  const { workspace } = one.channel('bob');
  const started = await unconfinedSandbox({ env }).start({
    argv: ['sleep', '600'],
    env: {},
    stdin: 'none',
    profile: {
      ...{ workspace, access: 'read-write', network: { mode: 'none' } },
      ...{ hidden: [], protected: [], readOnly: [], readWrite: [] },
    },
  });
  started.stdout.resume();
  started.stderr.resume();
  return started;
}

const watching = (clock: Env = env, recover: () => Promise<unknown> = async () => undefined, on: State = state) =>
  createWatch({
    ...{ env: clock, state: on, host: 'here', sandbox: 'none', graceMs: 10_000, recover },
    standings: openStandings(one.ledger, () => clock.now()),
  });
const watch = (
  clock?: Env,
  { tier = 'T1' as Tier, recover = undefined as (() => Promise<unknown>) | undefined } = {},
) => watching(clock, recover)({ channel: one.channel('bob'), tier }, running, 'intent');

async function become(change: Partial<AgentRecord>): Promise<void> {
  const agent = await state.registry.get('bob');
  if (!agent) throw new Error('bob is not registered');
  await state.registry.put({ ...agent, ...change });
}

/** Lets time pass as a process lives it: what falls due has its turn before the next second begins. */
async function pass(clock: FakeEnv, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    clock.advance(1000);
    for (let turn = 0; turn < 5; turn++) await setImmediate();
  }
}

it('lists the run while it lives, and no longer', async () => {
  const stop = await watch();
  const listed = { intent: 'intent', run: 'run-1', processGroup: running.pid, sandbox: 'none' };
  expect(await state.registry.liveRuns('bob')).toMatchObject([listed]);
  await stop.end();
  expect(await state.registry.liveRuns('bob')).toEqual([]);
});

it.each<[string, () => Promise<void>, string]>([
  ['was revoked', () => become({ status: 'revoked' }), 'agent "bob" was revoked'],
  ['was frozen', () => become({ status: 'frozen' }), 'agent "bob" was frozen'],
  ['was retired', () => become({ status: 'retired' }), 'agent "bob" was retired as it started'],
  ['was moved down', () => become({ tier: 'T0' }), 'agent "bob" was moved to T0'],
  ['had its run stopped', () => state.registry.stopRun({ run: 'run-1', reason: 'enough' }), 'stopped: enough'],
])('kills a command whose agent %s between its start and now', async (_what, change, reason) => {
  await change();
  const stop = await watch();
  expect(await running.exit).toMatchObject({ signal: 'SIGKILL' });
  expect(await stop.reason(true)).toContain(reason);
  await stop.end();
});

it.each<[string, () => Promise<void>, string]>([
  ['a revocation', () => become({ status: 'revoked' }), 'was revoked'],
  ['a freeze', () => become({ status: 'frozen' }), 'was frozen'],
  ['a demotion', () => become({ tier: 'T0' }), 'was moved to T0'],
  ['the end of its run', () => state.registry.stopRun({ run: 'run-1', reason: 'enough' }), 'stopped: enough'],
])('kills at the next heartbeat where the announcement of %s got lost', async (_what, change, reason) => {
  const clock = fakeEnv();
  const stop = await watch(clock);
  await change();
  expect(lives(running.pid)).toBe(true);
  clock.advance(1000);
  expect(await running.exit).toMatchObject({ signal: 'SIGKILL' });
  expect(await stop.reason(true)).toContain(reason);
  await stop.end();
});

it('kills by the announcement alone, of the agent or of the run, and only what it names', async () => {
  const others = await Promise.all([command(), command()]);
  const begin = watching(fakeEnv());
  const stops = await Promise.all(
    [running, ...others].map((each, i) =>
      begin({ channel: one.channel('bob', `run-${i}`), tier: 'T1' }, each, `i${i}`),
    ),
  );
  await announceHalt(state.events, { agents: ['bo', 'bobby'], runs: ['run-1'], became: 'stopped: enough' });
  expect(await others[0]?.exit).toMatchObject({ signal: 'SIGKILL' });
  expect(await stops[1]?.reason(true)).toContain('run run-1 was stopped: enough');
  expect([lives(running.pid), lives(others[1]?.pid ?? 0)]).toEqual([true, true]);
  await announceHalt(state.events, { agents: ['bob'], runs: [], became: 'frozen' });
  await Promise.all([running.exit, others[1]?.exit]);
  expect(await stops[0]?.reason(true)).toContain('agent "bob" was frozen');
  for (const stop of stops) await stop.end();
});

it('takes no notice of what was announced before it began', async () => {
  await announceHalt(state.events, { agents: ['bob'], runs: [], became: 'frozen' });
  const stop = await watch(fakeEnv());
  const seen = state.events.follow(AbortSignal.timeout(5000), 0)[Symbol.asyncIterator]();
  await seen.next();
  await setImmediate();
  expect([lives(running.pid), await stop.reason(false)]).toEqual([true, undefined]);
  await stop.end();
});

it('takes no notice of it either where an older command has yet to hear of it', async () => {
  const young = await command();
  const begin = watching(fakeEnv());
  const first = await begin({ channel: one.channel('bob'), tier: 'T1' }, running, 'old');
  // By another handle, so that the follower of this one finds it at its next look.
  await announceHalt(one.state.events, { agents: ['bob'], runs: [], became: 'frozen' });
  const second = await begin({ channel: one.channel('bob'), tier: 'T1' }, young, 'young');
  expect(await running.exit).toMatchObject({ signal: 'SIGKILL' });
  await setImmediate();
  expect([lives(young.pid), await second.reason(false)]).toEqual([true, undefined]);
  await young.kill();
  await Promise.all([first.end(), second.end()]);
});

it('lets a retired agent end what it runs', async () => {
  const clock = fakeEnv();
  const stop = await watch(clock);
  await become({ status: 'retired' });
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

it('kills above T0 when the store was away for the grace, not before, and says why', async () => {
  const clock = fakeEnv();
  const stop = await watch(clock);
  setStateAside(`${one.dir}/state.db`, env);
  await pass(clock, 9);
  expect(lives(running.pid)).toBe(true);
  await pass(clock, 1);
  expect(await running.exit).toMatchObject({ signal: 'SIGKILL' });
  expect(await stop.reason(true)).toContain('has not answered for 10.0 s (state.grace)');
  await stop.end();
});

it('lets an agent at T0 go on without the store, and finds it again', async () => {
  await become({ tier: 'T0' });
  const clock = fakeEnv();
  const stop = await watch(clock, { tier: 'T0' });
  const aside = setStateAside(`${one.dir}/state.db`, env) ?? '';
  await pass(clock, 30);
  expect(lives(running.pid)).toBe(true);
  for (const suffix of ['', '-wal']) renameSync(aside + suffix, `${one.dir}/state.db${suffix}`);
  await pass(clock, 2);
  expect((await state.registry.liveRuns('bob'))[0]?.beatAt).toBe(clock.now());
  await stop.end();
});

it('goes on when the store comes back in time, once the ledger has spoken', async () => {
  const clock = fakeEnv();
  let asked = 0;
  const stop = await watch(clock, { recover: async () => void asked++ });
  const aside = setStateAside(`${one.dir}/state.db`, env) ?? '';
  await pass(clock, 8);
  for (const suffix of ['', '-wal']) renameSync(aside + suffix, `${one.dir}/state.db${suffix}`);
  await pass(clock, 20);
  expect([lives(running.pid), asked > 0]).toEqual([true, true]);
  await stop.end();
});

it('is not fooled by a store that forgot everything: what the ledger knows decides', async () => {
  const clock = fakeEnv();
  const recover = async (): Promise<void> => {
    await state.registry.put({ ...bob, status: forgotten });
  };
  const bob = (await state.registry.get('bob')) as AgentRecord; // registered before each test
  let forgotten: AgentRecord['status'] = 'active';
  const stop = await watch(clock, { recover });
  const empty = async (): Promise<void> => {
    setStateAside(`${one.dir}/state.db`, { ...env, now: () => clock.now() });
    await (await openEmbeddedState({ path: `${one.dir}/state.db`, env }))[Symbol.asyncDispose]();
  };
  await empty();
  await pass(clock, 2);
  expect(await state.registry.liveRuns('bob')).toMatchObject([{ intent: 'intent' }]);
  expect(lives(running.pid)).toBe(true);
  forgotten = 'revoked';
  await empty();
  await pass(clock, 2);
  expect(await running.exit).toMatchObject({ signal: 'SIGKILL' });
  expect(await stop.reason(true)).toContain('was revoked');
  await stop.end();
});

it('kills at the grace while the ledger cannot speak for a store that forgot everything', async () => {
  const clock = fakeEnv();
  const stop = await watch(clock, { recover: () => Promise.reject(new Error('the ledger is away')) });
  setStateAside(`${one.dir}/state.db`, env);
  await (await openEmbeddedState({ path: `${one.dir}/state.db`, env }))[Symbol.asyncDispose]();
  await pass(clock, 9);
  expect(lives(running.pid)).toBe(true);
  await pass(clock, 2);
  expect(await running.exit).toMatchObject({ signal: 'SIGKILL' });
  expect(await stop.reason(true)).toContain('state.grace');
  await stop.end();
});

it('says that it cannot tell who killed it while the store is away', async () => {
  const stop = await watch(fakeEnv());
  setStateAside(`${one.dir}/state.db`, env);
  expect(await stop.reason(true)).toContain('cannot be told');
  await stop.end();
});

const recordRevocation = () =>
  one.ledger.append({
    ...{ kind: 'agent', agent: 'bob', tier: 'T1' },
    body: { step: 'revoked', tier: 'T1', operator: 'ada', user: 'ada', reason: 'it lied' },
  });

it.each(['T0', 'T1'] as const)('kills %s by the ledger alone, whatever the store says', async (tier) => {
  const clock = fakeEnv();
  const stop = await watch(clock, { tier });
  await recordRevocation();
  expect((await state.registry.get('bob'))?.status).toBe('active');
  await pass(clock, 1);
  expect(await running.exit).toMatchObject({ signal: 'SIGKILL' });
  expect(await stop.reason(true)).toContain('was revoked');
  await stop.end();
});

it('kills by the ledger while a question to the store is never answered', async () => {
  const clock = fakeEnv();
  const registry = { ...state.registry, beat: () => new Promise<never>(() => undefined) };
  const stop = await watching(clock, undefined, { ...state, registry })(
    { channel: one.channel('bob'), tier: 'T0' },
    running,
    'intent',
  );
  await pass(clock, 3);
  expect(lives(running.pid)).toBe(true);
  await recordRevocation();
  await pass(clock, 1);
  expect(await running.exit).toMatchObject({ signal: 'SIGKILL' });
  await stop.end();
});
