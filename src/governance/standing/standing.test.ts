/** Whoever can write to the state server may take away, and never give: the ledger has the last word. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Governed, governed } from '../../../test/support/governed.ts';
import type { AgentRecord } from '../../adapters/state/port.ts';
import { leastOf } from './index.ts';

const by = { operator: 'ada', user: 'ada' };
let one: Governed;
beforeEach(async () => {
  one = await governed({ agents: { bob: 'T0', amy: 'T2' } });
});
afterEach(() => one[Symbol.asyncDispose]());

const write = { action: 'fs.write', resource: 'a.txt', args: {} } as const;
const begin = async (agent: string, run?: string) =>
  (await one.governor.begin(one.channel(agent, run), write)).decision;
const forge = async (name: string, change: Partial<AgentRecord>) => {
  const agent = await one.state.registry.get(name);
  if (agent) await one.state.registry.put({ ...agent, ...change });
};
const step = (name: string, step: string, tier: 'T0' | 'T1' | 'T2') =>
  one.ledger.append({ kind: 'agent', agent: name, tier, body: { step, tier, ...by, reason: 'it lied' } });

it('gives nobody a tier that only the registry says', async () => {
  await forge('bob', { tier: 'T2' });
  const { id, verdict } = await one.governor.begin(one.channel('bob'), write);
  expect([verdict, one.ledger.byId(id)?.tier]).toEqual(['deny', 'T0']);
  expect(await one.governor.standing({ agent: 'bob', run: 'r' })).toMatchObject({ agent: { tier: 'T0' } });
});

it.each(['revoked', 'frozen', 'retired'])(
  'lets nobody act who is %s on record, whatever the registry says',
  async (end) => {
    expect((await begin('amy')).verdict).toBe('allow');
    await step('amy', end, 'T2');
    await forge('amy', { status: 'active' });
    expect(await begin('amy')).toMatchObject({
      verdict: 'deny',
      reasons: [expect.stringContaining(`is ${end}: it lied`)],
    });
  },
);

it('counts a demotion and a killed run from their entries on', async () => {
  expect((await begin('amy', 'r1')).verdict).toBe('allow');
  await one.ledger.append({ kind: 'kill', run: 'r1', body: { step: 'ordered', ...by, reason: 'wrong branch' } });
  expect(await begin('amy', 'r1')).toMatchObject({ verdict: 'deny', reasons: ['Run r1 was killed: wrong branch'] });
  expect((await begin('amy', 'r2')).verdict).toBe('allow');
  await step('amy', 'demoted', 'T0');
  expect((await begin('amy', 'r2')).verdict).toBe('deny');
});

it.each([0, 40, 80])('misses no step among %i other entries since the last look', async (others) => {
  expect((await begin('amy')).verdict).toBe('allow');
  const note = () => one.ledger.append({ kind: 'violation', agent: 'bob', body: { what: 'noise', details: {} } });
  await Promise.all(Array.from({ length: others / 2 }, note));
  await step('amy', 'revoked', 'T2');
  await Promise.all(Array.from({ length: others / 2 }, note));
  expect((await begin('amy')).verdict).toBe('deny');
  expect((await begin('amy')).verdict).toBe('deny');
});

it('knows no agent that only the registry has', async () => {
  const amy = await one.state.registry.get('amy');
  if (amy) await one.state.registry.put({ ...amy, name: 'mallory' });
  expect(await begin('mallory')).toMatchObject({ verdict: 'deny', reasons: ['There is no agent "mallory".'] });
});

it('lets the registry take away what the record does not', async () => {
  await forge('amy', { tier: 'T0' });
  expect((await begin('amy')).verdict).toBe('deny');
  await forge('amy', { tier: 'T2', status: 'frozen', reason: 'by another host' });
  expect(await begin('amy')).toMatchObject({ reasons: [expect.stringContaining('frozen: by another host')] });
  await forge('amy', { status: 'active' });
  await one.state.registry.stopRun({ run: 'r1', reason: 'there' });
  expect((await begin('amy', 'r1')).verdict).toBe('deny');
});

it('takes the lower tier and the worse status from whichever side has it', () => {
  const agent = (tier: AgentRecord['tier'], status: AgentRecord['status']): AgentRecord => ({
    ...{ name: 'amy', tier, status, operator: 'ada', createdAt: 1, changedAt: 1 },
  });
  const [low, bad] = [agent('T0', 'active'), agent('T2', 'frozen')];
  for (const [recorded, told] of [
    [low, bad],
    [bad, low],
  ] as const) {
    const least = leastOf({ agent: recorded, stopped: undefined }, { agent: told, stopped: undefined });
    expect(least.agent).toMatchObject({ tier: 'T0', status: 'frozen' });
  }
});
