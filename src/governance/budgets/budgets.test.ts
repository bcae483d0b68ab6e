import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Governed, governed } from '../../../test/support/governed.ts';
import type { Begun, Channel, End } from '../governor/index.ts';
import { openStandings } from '../standing/index.ts';
import { type Limits, limitsOf, type Spent } from './index.ts';

let one: Governed;
beforeEach(async () => {
  one = await governed({ agents: { amy: 'T1' } });
});
afterEach(() => one[Symbol.asyncDispose]());

const write = { action: 'fs.write', resource: 'a.txt', args: {} } as const;
const open = (
  limits: Limits,
  more: { parent?: string; name?: string; run?: string; shrink?: boolean; overdraws?: boolean } = {},
) => one.budgets.openScope({ run: 'run-1', name: 'work', limits, ...more });
const payer = (budget: string, more: Partial<Channel> = {}): Channel => ({ ...one.channel('amy'), budget, ...more });
const begin = (channel: Channel, reserve?: Spent) => one.governor.begin(channel, write, reserve ? { reserve } : {});
const ok = (spent?: unknown): End => ({
  status: 'ok',
  facts: {},
  ...(spent === undefined ? {} : { spent: spent as Spent }),
});
const spend = async (budget: string, reserve: Spent, spent?: unknown): Promise<Begun> => {
  const begun = await begin(payer(budget), reserve);
  if (begun.verdict === 'allow') await one.governor.end(payer(budget), begun.id, ok(spent));
  return begun;
};
const why = (begun: Begun): string => (begun.verdict === 'allow' ? 'allowed' : (begun.decision.reasons[0] ?? ''));

describe('a budget', () => {
  it('allows so many actions and no more, and says which budget and how much of what', async () => {
    const budget = await open({ actions: 2 }, { name: 'deploy' });
    expect([(await spend(budget, {})).verdict, (await spend(budget, {})).verdict]).toEqual(['allow', 'allow']);
    const third = await spend(budget, {});
    expect(third).toMatchObject({ verdict: 'deny', code: 'BUDGET_EXCEEDED' });
    expect(why(third)).toBe('The budget "deploy" of run run-1 is used up: actions 2 of 2.');
    expect(one.ledger.byId(third.id)?.body['decision']).toMatchObject({ verdict: 'deny' });
    expect(one.budgets.statement(budget)).toMatchObject({ used: { actions: 2 }, left: { actions: 0 } });
  });

  it('holds what an effect may take until it tells what it took', async () => {
    const budget = await open({ tokens: 100, moneyMicros: 1_250_000 });
    const first = await begin(payer(budget), { tokens: 60 });
    expect(why(await begin(payer(budget), { tokens: 60 }))).toContain('tokens 60 of 100 is used or reserved');
    expect(one.budgets.statement(budget)).toMatchObject({ used: { tokens: 60 }, reserved: { tokens: 60 } });
    await one.governor.end(payer(budget), first.id, ok({ tokens: 10, moneyMicros: 250_000 }));
    expect(one.budgets.remaining(budget)).toEqual({ tokens: 90, moneyMicros: 1_000_000 });
    expect((await spend(budget, { tokens: 90 }, { tokens: 90 })).verdict).toBe('allow');
    expect(why(await begin(payer(budget)))).toContain('tokens 100 of 100');
  });

  it('lets many at once take together no more than there is', async () => {
    const budget = await open({ tokens: 1000 });
    const all = await Promise.all(Array.from({ length: 30 }, () => begin(payer(budget), { tokens: 90 })));
    expect(all.filter(({ verdict }) => verdict === 'allow')).toHaveLength(11);
    expect(one.budgets.statement(budget).used).toMatchObject({ actions: 11, tokens: 990 });
    // In one process nobody comes too late: nothing is allowed first and taken back then.
    expect(one.ledger.query({ kinds: ['outcome'] })).toEqual([]);
  });

  it('counts what is spent below against everything above', async () => {
    const root = await open({ actions: 3, tokens: 100 }, { name: 'root' });
    const [left, right] = [await open({ actions: 2 }, { parent: root }), await open({ actions: 2 }, { parent: root })];
    for (const budget of [left, right, left]) expect((await spend(budget, {}, {})).verdict).toBe('allow');
    expect(why(await spend(right, {}))).toContain('The budget "root"');
    expect(one.budgets.remaining(right)).toEqual({ actions: 0, tokens: 100 });
  });

  it('ends with its time, also where the clock is set back, and after a restart', async () => {
    const budget = await open(limitsOf({ minutes: 10 }));
    one.env.advance(9 * 60_000);
    expect((await spend(budget, {})).verdict).toBe('allow');
    one.env.setNow(Date.UTC(2025, 0, 1));
    one.env.advance(30_000);
    expect(one.budgets.remaining(budget)).toEqual({ ms: 30_000 });
    const again = await one.reopen();
    one = again;
    expect(again.budgets.remaining(budget)['ms']).toBeLessThanOrEqual(60_000);
    one.env.advance(60_000);
    expect(why(await spend(budget, {}))).toBe('The budget "work" of run run-1 is used up: time 10m 00s of 10m 00s.');
  });

  it('keeps what was reserved as spent where nobody knows: after a crash, a throw, and an end without numbers', async () => {
    const budget = await open({ tokens: 100 });
    await begin(payer(budget), { tokens: 10 });
    await spend(budget, { tokens: 20 });
    const thrown = one.governor.act(payer(budget), write, () => Promise.reject(new Error('gone')), {
      reserve: { tokens: 30 },
    });
    await expect(thrown).rejects.toThrow('gone');
    one = await one.reopen();
    expect(one.budgets.statement(budget)).toMatchObject({
      used: { actions: 3, tokens: 60 },
      reserved: { tokens: 10 },
      unknown: { tokens: 50 },
    });
  });

  it('opens once for ever under one key, also for two at once', async () => {
    const ask = { run: 'run-1', name: 'stage', key: 'stage:a', limits: { actions: 1 } };
    const [first, second] = await Promise.all([one.budgets.openScope(ask), one.budgets.openScope(ask)]);
    expect(second).toBe(first);
    expect(await one.budgets.openScope({ ...ask, limits: { actions: 100 } })).toBe(first);
    expect(one.budgets.remaining(first)).toEqual({ actions: 1 });
    expect(await one.budgets.openScope({ ...ask, run: 'run-2' })).not.toBe(first);
  });

  it('lets what undoes and ends a run go on, and counts it', async () => {
    const budget = await open({ actions: 1 });
    await spend(budget, {});
    const begun = await begin(payer(budget, { overdraws: true }));
    expect(begun.verdict).toBe('allow');
    expect(one.ledger.byId(begun.id)?.body['budget']).toEqual({ scope: budget, overdraws: true });
    expect(one.budgets.statement(budget).used.actions).toBe(2);
  });

  it('holds what goes on so to every budget that was set below the run’s', async () => {
    const whole = await open({ actions: 1, ms: 1000 });
    await spend(whole, {});
    one.env.advance(2000);
    const own = await open({ actions: 2, tokens: 50, ms: 5000 }, { parent: whole, shrink: true, overdraws: true });
    expect(one.budgets.remaining(own, true)).toEqual({ actions: 2, tokens: 50, ms: 5000 });
    const again = payer(own, { overdraws: true });
    const verdicts = [await begin(again), await begin(again, { tokens: 51 }), await begin(again), await begin(again)];
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['allow', 'deny', 'allow', 'deny']);
    expect(one.budgets.statement(whole).used.actions).toBe(3);
    expect(why(await begin(payer(own)))).toContain('is used up');
  });
});

describe('an agent that wants more', () => {
  it('gets no child with more than its parents have left', async () => {
    const root = await open({ tokens: 100, ms: 60_000 }, { name: 'root' });
    const middle = await open({ tokens: 80 }, { parent: root, name: 'middle' });
    await spend(middle, { tokens: 30 }, { tokens: 30 });
    await expect(open({ tokens: 60 }, { parent: middle })).rejects.toMatchObject({
      code: 'BUDGET_EXCEEDED',
      what: 'The budget "middle" of run run-1 cannot give tokens 60.',
    });
    await expect(open({ ms: 60_001 }, { parent: middle })).rejects.toThrow('The budget "root"');
    expect(() => one.budgets.canGive(middle, { tokens: 50, ms: 60_000, actions: 9 })).not.toThrow();
    const shrunk = await open({ tokens: 60 }, { parent: middle, shrink: true });
    expect(one.budgets.statement(shrunk).limits).toEqual({ tokens: 50 });
  });

  it.each([
    ['negative', -1],
    ['fraction', 0.5],
    ['nothing', Number.NaN],
    ['endless', Number.POSITIVE_INFINITY],
    ['huge', 1e308],
  ])('gets no limit that cannot be counted: %s', async (_, value) => {
    await expect(open({ tokens: value })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  it('spends from no budget that is another run’s, is none, or is only named in what it asks', async () => {
    const [rich, poor] = [await open({ actions: 100 }, { run: 'run-2' }), await open({ actions: 1 })];
    expect(why(await begin(payer(rich)))).toContain('is another run’s'.replace('’', "'"));
    expect(why(await begin(payer('0199c2d4-0000-7000-8000-000000000000')))).toContain('There is no budget');
    const agent = one.ledger.query({ kinds: ['agent'] })[0]?.id ?? '';
    expect(why(await begin(payer(agent)))).toContain('There is no budget');
    await spend(poor, {});
    const intent = { ...write, args: { budget: { scope: rich }, overdraws: true } };
    expect((await one.governor.begin(payer(poor), intent)).verdict).toBe('deny');
    expect(one.budgets.statement(rich).used.actions).toBe(0);
  });

  it.each([
    ['a negative amount', { tokens: -1_000_000 }, 50],
    ['what is no number', { tokens: Number.NaN }, 50],
    ['a text', { tokens: '0' }, 50],
    ['a list', [0], 50],
    ['a fraction, which counts whole', { tokens: 0.1 }, 1],
    ['more than was reserved', { tokens: 70 }, 70],
    ['more than can be counted', { tokens: 1e308 }, Number.MAX_SAFE_INTEGER],
    ['without end', { tokens: Number.POSITIVE_INFINITY }, Number.MAX_SAFE_INTEGER],
  ])('gets nothing back by telling %s', async (_, told, counts) => {
    const budget = await open({ tokens: 100 });
    await spend(budget, { tokens: 50 }, told);
    expect(one.budgets.statement(budget).used.tokens).toBe(counts);
    await spend(budget, {}, { tokens: -5 });
    expect(one.budgets.statement(budget).used.tokens).toBe(counts);
  });

  it.each([[-1], [Number.NaN]])('may not reserve %s', async (tokens) => {
    expect(why(await begin(payer(await open({ tokens: 100 })), { tokens }))).toBe(
      'What it may spend at most cannot be told.',
    );
  });

  it('gets no other’s reservation by ending it twice or from another channel', async () => {
    const [mine, other] = [await open({ tokens: 100 }), await open({ tokens: 100 })];
    const { id } = await begin(payer(mine), { tokens: 40 });
    await one.governor.end(payer(other), id, ok({ tokens: 7 }));
    expect([one.budgets.statement(mine).used.tokens, one.budgets.statement(other).used.tokens]).toEqual([7, 0]);
    await expect(one.governor.end(payer(mine), id, ok({ tokens: 0 }))).rejects.toMatchObject({
      code: 'LEDGER_CLAIMED',
    });
  });

  it('is refused where nobody keeps budgets', async () => {
    const budget = await open({ actions: 5 });
    const { createGovernor } = await import('../governor/index.ts');
    const bare = createGovernor({
      ...{ ledger: one.ledger, policy: one.policy, approvals: one.approvals, registry: one.state.registry },
      standings: openStandings(one.ledger, () => one.env.now()),
      world: { protectedPaths: [], hiddenPaths: [], locate: () => undefined },
      limits: { intentsPerRun: 10, denialsPerRun: 10 },
    });
    expect(why(await bare.begin(payer(budget), write))).toBe('No budgets are kept here.');
  });
});
