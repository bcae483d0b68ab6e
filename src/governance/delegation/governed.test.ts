/** What an agent hands down is decided at each intent, by the ledger and the registry, and survives a restart. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Governed, governed } from '../../../test/support/governed.ts';
import { isoTime } from '../../kernel/index.ts';
import type { Tier } from '../../schemas/index.ts';
import type { SpawnWish } from './index.ts';

let one: Governed;
beforeEach(async () => {
  one = await governed({ agents: { lead: 'T2', other: 'T2' } });
});
afterEach(() => one[Symbol.asyncDispose]());

const hour = 3_600_000;
const by = { operator: 'ada', user: 'ada' };
const write = { action: 'fs.write', resource: 'a.txt', args: {} } as const;

async function born(name: string, parent: string, tier: Tier, change: object = {}): Promise<void> {
  const handed = {
    parent,
    run: 'run-1',
    intent: 'i',
    until: isoTime(one.env.now() + hour),
    secrets: ['dev/*'],
    ...change,
  };
  await one.ledger.append({ kind: 'agent', agent: name, tier, body: { step: 'spawned', tier, ...by, handed } });
  await one.state.registry.put({
    ...{ name, tier, status: 'active', operator: 'ada', parent, createdAt: one.env.now(), changedAt: one.env.now() },
  });
}
const step = (name: string, step: string, tier: Tier) =>
  one.ledger.append({ kind: 'agent', agent: name, tier, body: { step, tier, ...by, reason: 'it lied' } });
const asks = (agent: string, wish: Partial<SpawnWish> & { limits?: object } = {}, budget?: string) =>
  one.governor.begin(
    { ...one.channel(agent), ...(budget === undefined ? {} : { budget }) },
    { action: 'agent.spawn', resource: `${agent}.worker`, args: {} },
    {
      facts: { target: { tier: wish.tier ?? 'T0' } },
      spawn: { parent: agent, tier: 'T0', needs: 'T1', until: one.env.now() + 1000, secrets: [], ...wish },
    },
  );
const may = async (agent: string) => (await one.governor.begin(one.channel(agent), write)).decision;

it('starts what is less than its lead, and puts every refusal on record as a denied intent', async () => {
  expect(await asks('lead', { tier: 'T1' })).toMatchObject({ verdict: 'allow' });
  const refused = await asks('lead', { parent: 'other' });
  expect(refused).toMatchObject({ verdict: 'deny', decision: { reasons: ['"other" does not report to "lead".'] } });
  expect(one.ledger.byId(refused.id)).toMatchObject({ kind: 'intent', agent: 'lead', body: { action: 'agent.spawn' } });
  expect(await asks('lead', { tier: 'T1', needs: 'T0' })).toMatchObject({ verdict: 'deny' });
  await born('lead.worker-1', 'lead', 'T1');
  expect((await asks('lead.worker-1', { tier: 'T2', needs: 'T2' })).decision.reasons[0]).toContain(
    'Nobody starts an agent above itself',
  );
  expect((await asks('lead.worker-1', { until: one.env.now() + 2 * hour })).decision.reasons[0]).toContain('outlive');
  expect((await asks('lead.worker-1', { secrets: ['staging/db'] })).decision.reasons[0]).toContain('cannot hand it on');
  // The tier itself: T1 starts nobody alone.
  expect((await asks('lead.worker-1', {})).verdict).toBe('deny');
});

it('denies a start of which it is not told what would be handed down', async () => {
  const intent = { action: 'agent.spawn', resource: 'x', args: {} } as const;
  const begun = await one.governor.begin(one.channel('lead'), intent, { facts: { target: { tier: 'T0' } } });
  expect(begun.verdict).toBe('deny');
});

it('gives no more than is left of the budget', async () => {
  const scope = await one.budgets.openScope({
    run: 'run-1',
    agent: 'lead',
    name: 'team',
    limits: { actions: 10, tokens: 100 },
  });
  expect((await asks('lead', { limits: { tokens: 100 } }, scope)).verdict).toBe('allow');
  expect(await asks('lead', { limits: { tokens: 101 } }, scope)).toMatchObject({
    verdict: 'deny',
    code: 'BUDGET_EXCEEDED',
  });
});

it.each(['revoked', 'frozen', 'retired'])('lets nobody act below one who is %s, also after a restart', async (end) => {
  await born('lead.foreman-1', 'lead', 'T1');
  await born('lead.foreman-1.worker-1', 'lead.foreman-1', 'T1');
  expect((await may('lead.foreman-1.worker-1')).verdict).toBe('allow');
  await step('lead', end, 'T2');
  const why = `"lead" stands above it, and is ${end}: it lied`;
  expect((await may('lead.foreman-1.worker-1')).reasons[0]).toContain(why);
  one = await one.reopen();
  expect((await may('lead.foreman-1.worker-1')).reasons[0]).toContain(why);
  expect((await may('other')).verdict).toBe('allow');
});

it('hears of the end of a lead also from the registry, and of its demotion', async () => {
  await born('lead.worker-1', 'lead', 'T1');
  const lead = await one.state.registry.get('lead');
  if (!lead) throw new Error('no lead');
  await one.state.registry.put({ ...lead, tier: 'T0' });
  expect(await one.governor.standing({ agent: 'lead.worker-1', run: 'r' })).toMatchObject({ agent: { tier: 'T0' } });
  expect((await may('lead.worker-1')).verdict).toBe('deny');
  await one.state.registry.put({ ...lead, status: 'frozen', reason: 'elsewhere' });
  expect((await may('lead.worker-1')).reasons[0]).toContain('frozen');
});

it('ends with its time, and with that of those above it', async () => {
  await born('lead.foreman-1', 'lead', 'T1', { until: isoTime(one.env.now() + 1000) });
  await born('lead.foreman-1.worker-1', 'lead.foreman-1', 'T1');
  expect((await may('lead.foreman-1.worker-1')).verdict).toBe('allow');
  one.env.advance(1000);
  expect((await may('lead.foreman-1')).reasons[0]).toContain('its time was over');
  expect((await may('lead.foreman-1.worker-1')).reasons[0]).toContain('its time was over');
});

it('is not born a second time to lose its lead', async () => {
  await born('lead.worker-1', 'lead', 'T0');
  await step('lead.worker-1', 'frozen', 'T0');
  await born('lead.worker-1', 'other', 'T2');
  expect(await one.governor.standing({ agent: 'lead.worker-1', run: 'r' })).toMatchObject({
    agent: { tier: 'T0', status: 'frozen' },
  });
  expect(one.standings.line('lead.worker-1').map(({ name }) => name)).toEqual(['lead.worker-1', 'lead']);
});

it('leases no secret that its lead did not hand down', async () => {
  await born('lead.worker-1', 'lead', 'T1', { secrets: ['dev/db'] });
  const lease = async (resource: string) =>
    (await one.governor.begin(one.channel('lead.worker-1'), { action: 'secret.read', resource, args: {} })).verdict;
  expect([await lease('dev/db'), await lease('dev/mail')]).toEqual(['allow', 'deny']);
});

it('writes along the lines of report alone', async () => {
  await born('lead.a-1', 'lead', 'T1');
  await born('lead.b-1', 'lead', 'T1', { peers: true, team: 't' });
  await born('lead.b-2', 'lead', 'T1', { peers: true, team: 't' });
  await born('lead.c-1', 'lead', 'T1', { peers: true, team: 'u' });
  const to = async (from: string, whom: string) =>
    (await one.governor.begin(one.channel(from), { action: 'agent.message', resource: whom, args: {} })).verdict;
  expect([await to('lead.a-1', 'lead'), await to('lead', 'lead.a-1'), await to('lead.b-1', 'lead.b-2')]).toEqual([
    'allow',
    'allow',
    'allow',
  ]);
  await born('lead.d-1', 'lead', 'T1', { run: 'another' });
  for (const [from, whom] of [
    ['lead', 'lead.d-1'],
    ['lead.a-1', 'lead.b-1'],
    ['lead.b-1', 'lead.c-1'],
    ['lead.a-1', 'other'],
    ['other', 'lead.a-1'],
    ['lead', 'lead'],
    ['lead', 'nobody'],
  ] as const) {
    expect([from, whom, await to(from, whom)]).toEqual([from, whom, 'deny']);
  }
});

it('gives the board of a team to those who belong to it, and not to an agent of that name', async () => {
  const own = (agent: string, team: string | undefined, resource: string) =>
    one.governor
      .begin(
        { ...one.channel(agent), ...(team === undefined ? {} : { team }) },
        { action: 'state.write', resource, args: {} },
      )
      .then(({ verdict }) => verdict);
  await one.ledger.append({ kind: 'agent', agent: 'team', tier: 'T2', body: { step: 'added', tier: 'T2', ...by } });
  await one.state.registry.put({
    name: 'team',
    tier: 'T2',
    status: 'active',
    operator: 'ada',
    createdAt: 1,
    changedAt: 1,
  });
  expect(await own('lead', 'x', 'team/x/plan')).toBe('allow');
  expect(await own('lead', 'x', 'team/xy/plan')).toBe('deny');
  expect(await own('other', undefined, 'team/x/plan')).toBe('deny');
  expect(await own('team', undefined, 'team/x/plan')).toBe('deny');
});
