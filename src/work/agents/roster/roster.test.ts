/** The steps an agent can take, and a registry that says what the ledger says, whatever happened to it. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Governed, governed } from '../../../../test/support/governed.ts';
import type { AgentRecord } from '../../../adapters/state/port.ts';
import { ledgerRoster, type Roster } from './index.ts';

const by = { operator: 'ada', user: 'ada' };
let one: Governed;
let roster: Roster;
beforeEach(async () => {
  one = await governed({ agents: { bob: 'T1', amy: 'T0' } });
  roster = ledgerRoster(one.ledger, one.state.registry);
});
afterEach(() => one[Symbol.asyncDispose]());

const intent = { action: 'fs.read', resource: 'a.txt', args: {} } as const;
const begin = async (agent: string, run?: string) =>
  (await one.governor.begin(one.channel(agent, run), intent)).decision;
const conflict = { code: 'CONFLICT' };

it('freezes: every intent is denied with the reason, until it is thawed', async () => {
  await roster.freeze('bob', by, 'looking into it');
  expect(await begin('bob')).toMatchObject({
    verdict: 'deny',
    reasons: [expect.stringContaining('is frozen: looking into it')],
  });
  expect((await begin('amy')).verdict).toBe('allow');
  await expect(roster.freeze('bob', by, 'again')).rejects.toMatchObject(conflict);
  await expect(roster.move('bob', 'T2', by, 'why')).rejects.toMatchObject(conflict);
  const thawed = await roster.thaw('bob', by, 'it was not');
  expect(thawed).toMatchObject({ status: 'active', tier: 'T1', reason: 'it was not' });
  expect((await begin('bob')).verdict).toBe('allow');
  await expect(roster.thaw('bob', by, 'again')).rejects.toMatchObject(conflict);
});

it('moves up and down, and the next decision is by the new tier', async () => {
  const write = { ...intent, action: 'fs.write' } as const;
  const verdict = async () => (await one.governor.begin(one.channel('bob'), write)).verdict;
  expect(await verdict()).toBe('allow');
  expect(await roster.move('bob', 'T0', by, 'less trust')).toMatchObject({ tier: 'T0', status: 'active' });
  expect(await verdict()).toBe('deny');
  await roster.move('bob', 'T2', by, 'more trust');
  expect(await verdict()).toBe('allow');
  const steps = one.ledger.query({ kinds: ['agent'], agent: 'bob' }).map(({ body }) => [body['step'], body['tier']]);
  expect(steps).toEqual([
    ['added', 'T1'],
    ['demoted', 'T0'],
    ['promoted', 'T2'],
  ]);
  await expect(roster.move('bob', 'T2', by, 'again')).rejects.toMatchObject(conflict);
  await expect(roster.move('bob', 'T3', by, 'why')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
});

it.each(['freeze', 'thaw', 'retire', 'revoke'] as const)('lets nothing come after a revocation: %s', async (step) => {
  await roster.revoke('bob', by, 'it lied');
  await expect(roster[step]('bob', by, 'later')).rejects.toMatchObject(conflict);
  expect(await roster.get('bob')).toMatchObject({ status: 'revoked', reason: 'it lied' });
});

it.each(['thawed', 'promoted', 'frozen', 'added', 'retired'])(
  'keeps a revocation over a step "%s" that another process recorded after it',
  async (step) => {
    await roster.revoke('bob', by, 'it lied');
    await one.ledger.append({ kind: 'agent', agent: 'bob', tier: 'T2', body: { step, tier: 'T2', ...by } });
    await one.state.registry.put({ ...(await roster.get('bob')), status: 'active' });
    await roster.reconcile();
    const revoked = { status: 'revoked', reason: 'it lied', tier: 'T1' };
    expect(await one.state.registry.get('bob')).toMatchObject(revoked);
    expect(await roster.get('bob')).toMatchObject(revoked);
  },
);

it('denies what is part of a run that was killed, to every agent, and nothing else', async () => {
  await one.state.registry.stopRun({ run: 'r1', reason: 'wrong branch' });
  expect(await begin('bob', 'r1')).toMatchObject({ verdict: 'deny', reasons: ['Run r1 was killed: wrong branch'] });
  expect((await begin('amy', 'r1')).verdict).toBe('deny');
  expect((await begin('bob', 'r2')).verdict).toBe('allow');
});

it('takes no tier and no status from the registry into the record', async () => {
  const bob = await roster.get('bob');
  await one.state.registry.put({ ...bob, tier: 'T2' });
  await one.state.registry.put({ ...bob, name: 'zed', tier: 'T2' });
  expect(await roster.freeze('bob', by, 'looking into it')).toMatchObject({ tier: 'T1', status: 'frozen' });
  await one.state.registry.put({ ...bob, status: 'active' });
  await expect(roster.move('bob', 'T2', by, 'why')).rejects.toMatchObject(conflict);
  await expect(roster.get('zed')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await roster.add('zed', 'T0', by)).toMatchObject({ tier: 'T0' });
});

it('denies while the state is away', async () => {
  await one.state[Symbol.asyncDispose]();
  await expect(begin('bob')).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
});

it('fills a registry that forgot everything: first what may not act, and killed runs before all', async () => {
  await roster.freeze('bob', by, 'looking into it');
  await roster.add('zed', 'T2', by);
  await roster.revoke('zed', by, 'it lied');
  const body = { step: 'ordered', deed: 'kill', ...by, reason: 'wrong branch' };
  await one.ledger.append({ kind: 'kill', run: 'r1', body });
  await one.ledger.append({ kind: 'kill', run: 'r1', body: { ...body, reason: 'again' } });
  await one.ledger.append({ kind: 'kill', agent: 'zed', body });
  const order: string[] = [];
  const empty = await governed();
  const { registry } = empty.state;
  const watched = ledgerRoster(one.ledger, {
    ...registry,
    async put(agent) {
      order.push(agent.name);
      await registry.put(agent);
    },
    async stopRun(mark) {
      order.push(mark.run);
      await registry.stopRun(mark);
    },
  });
  expect(await watched.reconcile()).toBe(4);
  expect([order.slice(0, 3).sort(), order.at(-1)]).toEqual([['bob', 'r1', 'zed'], 'amy']);
  expect(order[0]).toBe('r1');
  expect(await registry.stoppedRuns()).toEqual([{ run: 'r1', reason: 'wrong branch' }]);
  expect((await registry.list()).map(({ status }) => status)).toEqual(['active', 'frozen', 'revoked']);
  expect(await watched.reconcile()).toBe(0);
  await empty[Symbol.asyncDispose]();
});

const told = async (name: string, change: Partial<AgentRecord>) => {
  const bob = await roster.get('bob');
  await one.state.registry.put({ ...bob, name, ...change });
};
const steps = (agent: string) => one.ledger.query({ kinds: ['agent'], agent }).map(({ body }) => body['step']);

it('leaves alone whom only other hosts know, and lets them do nothing here', async () => {
  await told('zed', { tier: 'T2' });
  expect(await roster.reconcile()).toBe(0);
  expect(await roster.elsewhere()).toMatchObject([{ name: 'zed', tier: 'T2', status: 'active' }]);
  expect((await roster.list()).map(({ name }) => name)).toEqual(['amy', 'bob']);
  expect((await begin('zed')).verdict).toBe('deny');
});

it('records once what another host has revoked, however many are told at the same time', async () => {
  await told('bob', { status: 'revoked', reason: 'it lied', operator: 'eve', tier: 'T2' });
  const second = ledgerRoster(one.ledger, one.state.registry);
  await Promise.all([roster.reconcile(), second.reconcile()]);
  expect(steps('bob')).toEqual(['added', 'revoked']);
  expect(await roster.get('bob')).toMatchObject({ status: 'revoked', tier: 'T1', reason: 'it lied', operator: 'eve' });
});

it('yields in the registry to a newer act of another host and not to an older one, and believes neither to give', async () => {
  const { changedAt } = await roster.get('bob');
  await told('bob', { tier: 'T2', changedAt: changedAt - 1 });
  expect([await roster.reconcile(), (await one.state.registry.get('bob'))?.tier]).toEqual([1, 'T1']);
  await told('bob', { tier: 'T2', changedAt: changedAt + 60_000 });
  expect([await roster.reconcile(), (await one.state.registry.get('bob'))?.tier]).toEqual([0, 'T2']);
  expect((await roster.list()).find(({ name }) => name === 'bob')).toMatchObject({ tier: 'T1' });
  await told('bob', { status: 'frozen', changedAt: changedAt + 60_000 });
  await expect(roster.move('bob', 'T2', by, 'why')).rejects.toMatchObject(conflict);
  await roster.thaw('bob', by, 'it did not');
  expect((await begin('bob')).verdict, 'an act here counts, whatever times are told').toBe('allow');
});

it('adds nobody whom another host has stopped', async () => {
  for (const status of ['frozen', 'retired', 'revoked'] as const) {
    await told('zed', { status });
    await expect(roster.add('zed', 'T0', by)).rejects.toMatchObject(conflict);
  }
  expect(steps('zed')).toEqual([]);
});
