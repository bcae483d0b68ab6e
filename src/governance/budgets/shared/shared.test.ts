/** Processes of one project, and hosts that share a state server alone. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Governed, governed } from '../../../../test/support/governed.ts';
import { describeWith } from '../../../../test/support/needs.ts';
import { type RedisServer, redisServer } from '../../../../test/support/redis-server.ts';
import { type DragonflyState, openDragonflyState } from '../../../adapters/state/dragonfly/index.ts';
import { idSource, systemEnv } from '../../../kernel/index.ts';
import { createGovernor, type Governor } from '../../governor/index.ts';
import { openStandings } from '../../standing/index.ts';
import { adopt, type Budgets, handedSchema, handOver, type Limits, ledgerBudgets, sharedAccounts } from '../index.ts';

const run = promisify(execFile);
const worker = join(import.meta.dirname, '../../../../test/support/budget-worker.ts');

it('lets two processes that spend at once take together exactly what there is', async () => {
  await using one = await governed({ agents: { amy: 'T1' } });
  const root = await one.budgets.openScope({ run: 'r', name: 'root', limits: { tokens: 100 } });
  const child = await one.budgets.openScope({ run: 'r', name: 'child', limits: { tokens: 90 }, parent: root });
  const spend = async (budget: string): Promise<number> =>
    JSON.parse((await run(process.execPath, ['--no-warnings', worker, one.dir, budget, 'r', '1'])).stdout);
  const [first, second, third] = await Promise.all([spend(root), spend(child), spend(root)]);
  expect([first, second, third].reduce((sum, one) => sum + one)).toBe(100);
  expect(one.budgets.statement(root).used.tokens).toBe(100);
  expect(one.budgets.statement(child).used.tokens).toBeLessThanOrEqual(90);
}, 30_000);

interface Host extends AsyncDisposable {
  readonly budgets: Budgets;
  readonly governor: Governor;
  readonly world: Governed;
  open(limits: Limits, account?: string): Promise<string>;
  take(budget: string, tokens: number): Promise<boolean>;
}

describeWith('redis-server', 'hosts that share the state', () => {
  const env = systemEnv();
  let server: RedisServer;
  let tags = 0;
  beforeAll(async () => {
    server = await redisServer();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  async function host(name: string, tag: string, deadlineMs = 10_000): Promise<Host> {
    const world = await governed({ agents: { amy: 'T1' } });
    const { name: user, password } = await server.user(tag);
    const url = `redis://${user}@127.0.0.1:${server.port}`;
    const state: DragonflyState = await openDragonflyState({
      ...{ url, env, tag, password },
      deadlineMs,
      graceMs: 5000,
    });
    const { ledger, policy, approvals } = world;
    const budgets = ledgerBudgets({
      ledger,
      env,
      ids: idSource(env),
      shared: sharedAccounts({ state, env, host: name }),
    });
    const governor = createGovernor({
      ...{ ledger, policy, approvals, budgets, registry: world.state.registry },
      standings: openStandings(ledger, () => world.env.now()),
      world: { protectedPaths: [], hiddenPaths: [], locate: () => undefined },
      limits: { intentsPerRun: 1000, denialsPerRun: 1000 },
    });
    return {
      ...{ budgets, governor, world },
      open: (limits, account) =>
        budgets.openScope({ run: 'run-1', name: 'fleet', limits, ...(account === undefined ? {} : { account }) }),
      async take(budget, tokens) {
        const channel = { ...world.channel('amy'), budget };
        const intent = { action: 'fs.write', resource: 'a.txt', args: {} } as const;
        const begun = await governor.begin(channel, intent, { reserve: { tokens: tokens * 2 } });
        if (begun.verdict !== 'allow') return false;
        await governor.end(channel, begun.id, { status: 'ok', facts: {}, spent: { tokens } });
        return true;
      },
      async [Symbol.asyncDispose]() {
        await state[Symbol.asyncDispose]();
        await world[Symbol.asyncDispose]();
      },
    };
  }
  const flush = async (): Promise<void> => {
    const admin = server.admin();
    await admin.flushall();
    admin.disconnect();
  };

  it('count in one account, whoever spends', async () => {
    const tag = `agov:b${++tags}`;
    await using a = await host('a', tag);
    await using b = await host('b', tag);
    const there = await a.open({ tokens: 100, actions: 50 });
    const here = await b.open({ tokens: 100, actions: 50 }, there);
    const asked = await Promise.all(
      Array.from({ length: 30 }, (_, i) => (i % 2 ? a.take(there, 10) : b.take(here, 10))),
    );
    let granted = asked.filter(Boolean).length;
    for (let i = 0; i < 12; i++) granted += Number(await (i % 2 ? a.take(there, 5) : b.take(here, 5)));
    const used = [a.budgets.statement(there), b.budgets.statement(here)].map((one) => one.used.tokens);
    const sum = used.reduce((total, one) => total + one);
    expect(sum).toBeLessThanOrEqual(100);
    // The last grant reserves twice what it takes.
    expect(sum).toBeGreaterThan(85);
    expect(granted).toBeGreaterThan(9);
  });

  it('give nothing back when the server forgets', async () => {
    const tag = `agov:b${++tags}`;
    await using a = await host('a', tag);
    await using b = await host('b', tag);
    const there = await a.open({ tokens: 100 });
    const here = await b.open({ tokens: 100 }, there);
    expect([await a.take(there, 40), await b.take(here, 30)]).toEqual([true, true]);
    await flush();
    // Each puts in again what its own ledger says, once, before it takes anything; a take reserves twice what it spends.
    expect([await b.take(here, 2), await a.take(there, 20), await b.take(here, 20)]).toEqual([true, false, false]);
    expect(await a.take(there, 14)).toBe(true);
    await flush();
    expect([await a.take(there, 1), await b.take(here, 7), await b.take(here, 6)]).toEqual([true, false, true]);
    expect([await a.take(there, 4), await a.take(there, 3)]).toEqual([false, true]);
  });

  it('take a budget over from each other, with those above it and no more than is left of its time', async () => {
    const tag = `agov:b${++tags}`;
    await using a = await host('a', tag);
    await using b = await host('b', tag);
    const root = await a.open({ tokens: 100, ms: 1e12 });
    const stage = { run: 'run-1', name: 'stage', limits: { tokens: 90 }, parent: root };
    const there = await a.budgets.openScope(stage);
    expect(await a.take(root, 30)).toBe(true);
    const handed = handedSchema.parse(JSON.parse(JSON.stringify(handOver(a.budgets, there))));
    const here = await adopt(b.budgets, handed);
    expect(await adopt(b.budgets, handed)).toBe(here);
    expect(await adopt(a.budgets, handed)).toBe(there);
    expect(b.budgets.remaining(here).ms).toBeLessThanOrEqual(1e12);
    // A take reserves twice what it spends: of the root's 100 there are 70 left, whoever takes them.
    expect([await b.take(here, 36), await b.take(here, 35), await a.take(there, 18)]).toEqual([false, true, false]);
  });

  it('count what was spent beyond a reservation', async () => {
    const tag = `agov:b${++tags}`;
    await using a = await host('a', tag);
    await using b = await host('b', tag);
    const there = await a.open({ tokens: 100 });
    const here = await b.open({ tokens: 100 }, there);
    const channel = { ...a.world.channel('amy'), budget: there };
    const intent = { action: 'fs.write', resource: 'a.txt', args: {} } as const;
    const { id } = await a.governor.begin(channel, intent, { reserve: { tokens: 10 } });
    await a.governor.end(channel, id, { status: 'ok', facts: {}, spent: { tokens: 95 } });
    expect([await b.take(here, 3), await b.take(here, 2)]).toEqual([false, true]);
  });

  it('may spend nothing while the server is away', async () => {
    const tag = `agov:b${++tags}`;
    await using a = await host('a', tag, 1000);
    const there = await a.open({ tokens: 100 });
    expect(await a.take(there, 10)).toBe(true);
    await server.kill();
    await expect(a.take(there, 10)).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    expect(a.budgets.statement(there).used.tokens).toBe(10);
    await server.start();
  });
});
