/** Over generated trees of budgets and spenders that act at once, in two processes and over restarts. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Governed, governed } from '../../../test/support/governed.ts';
import { idSource } from '../../kernel/index.ts';
import type { Governor } from '../governor/index.ts';
import { createGovernor } from '../governor/index.ts';
import { openStandings } from '../standing/index.ts';
import { type Budgets, type Limits, ledgerBudgets, type Spent } from './index.ts';

interface Act {
  /** Of the tree, by its number. */
  readonly scope: number;
  readonly reserve: { readonly tokens: number; readonly moneyMicros: number };
  /** Of what was reserved, in hundredths; `unknown`: it tells nothing; `dies`: nothing is recorded after the intent. */
  readonly spends: number | 'unknown' | 'dies';
  readonly second: boolean;
}

const limits = fc.record({ actions: fc.nat(12), tokens: fc.nat(300), moneyMicros: fc.nat(3000) }, { requiredKeys: [] });
const act: fc.Arbitrary<Act> = fc.record({
  scope: fc.nat(5),
  reserve: fc.record({ tokens: fc.nat(60), moneyMicros: fc.nat(600) }),
  spends: fc.oneof(
    { weight: 6, arbitrary: fc.nat(100) },
    { weight: 1, arbitrary: fc.constantFrom('unknown' as const, 'dies' as const) },
  ),
  second: fc.boolean(),
});
const turn = fc.oneof(
  { weight: 5, arbitrary: fc.array(act, { minLength: 1, maxLength: 8 }) },
  { weight: 1, arbitrary: fc.constant('restart' as const) },
);
const scenario = fc.record({
  parents: fc.array(fc.nat(5), { minLength: 5, maxLength: 5 }),
  limits: fc.array(limits, { minLength: 6, maxLength: 6 }),
  turns: fc.array(turn, { minLength: 2, maxLength: 6 }),
});

const kinds = ['actions', 'tokens', 'moneyMicros'] as const;
type Truth = Record<(typeof kinds)[number], number>;
const write = { action: 'fs.write', resource: 'a.txt', args: {} } as const;

interface Process {
  readonly governor: Governor;
  readonly budgets: Budgets;
}

it('never lets more be spent than any budget has, nor forgets what was', async () => {
  await using world = await governed({ agents: { amy: 'T1' }, limits: { intentsPerRun: 1e6, denialsPerRun: 10_000 } });
  let round = 0;
  const [granted, refused] = [{ n: 0 }, { n: 0 }];
  await fc.assert(
    fc.asyncProperty(scenario, async ({ parents, limits: given, turns }) => {
      const run = `run-${++round}`;
      let processes = [start(world), start(world)];
      const of = (second: boolean): Process => processes[Number(second)] as Process;
      const tree: { id: string; above: number[]; limits: Limits }[] = [];
      for (const [i, asked] of given.entries()) {
        const parent = i === 0 ? undefined : tree[(parents[i - 1] ?? 0) % i];
        const { budgets } = of(i % 2 === 1);
        const below = parent ? { parent: parent.id, shrink: true } : {};
        const id = await budgets.openScope({ run, name: `b${i}`, limits: asked, ...below });
        const above = parent ? [tree.indexOf(parent), ...parent.above] : [];
        tree.push({ id, above, limits: budgets.statement(id).limits });
      }
      const truth: Truth[] = tree.map(() => ({ actions: 0, tokens: 0, moneyMicros: 0 }));
      const count = (scope: number, spent: Truth): void => {
        for (const i of [scope, ...(tree[scope]?.above ?? [])])
          for (const kind of kinds) at(truth, i)[kind] += spent[kind];
      };

      const perform = async ({ scope, reserve, spends, second }: Act): Promise<void> => {
        const channel = { ...world.channel('amy', run), budget: at(tree, scope).id };
        const { governor } = of(second);
        const begun = await governor.begin(channel, write, { reserve });
        if (begun.verdict !== 'allow') return void refused.n++;
        granted.n++;
        if (typeof spends === 'string') count(scope, { actions: 1, ...reserve });
        if (spends === 'dies') return;
        const part = (most: number): number => Math.ceil((most * Number(spends)) / 100);
        const spent: Spent = { tokens: part(reserve.tokens), moneyMicros: part(reserve.moneyMicros) };
        if (spends !== 'unknown') count(scope, { actions: 1, tokens: 0, moneyMicros: 0, ...spent });
        await governor.end(channel, begun.id, { status: 'ok', facts: {}, ...(spends === 'unknown' ? {} : { spent }) });
      };
      const check = (): void => {
        for (const [i, { id, limits: own }] of tree.entries()) {
          for (const { budgets } of [...processes, start(world)]) {
            expect(budgets.statement(id).used).toMatchObject(at(truth, i));
          }
          for (const kind of kinds)
            expect(at(truth, i)[kind]).toBeLessThanOrEqual(own[kind] ?? Number.POSITIVE_INFINITY);
        }
      };
      for (const one of turns) {
        if (one === 'restart') processes = [start(world), start(world)];
        else await Promise.all(one.map(perform));
        check();
      }
      // Whoever asks alone gets all that is left, and not one more.
      const last = at(tree, 5);
      const left = of(false).budgets.remaining(last.id);
      const most = Math.min(left.tokens ?? 1000, 1000);
      const ask = (tokens: number) =>
        of(true).governor.begin({ ...world.channel('amy', run), budget: last.id }, write, { reserve: { tokens } });
      const usable = (left.actions ?? 1) > 0 && (left.moneyMicros ?? 1) > 0 && most > 0;
      if (left.tokens !== undefined) expect((await ask(most + 1)).verdict).toBe('deny');
      expect((await ask(most)).verdict).toBe(usable ? 'allow' : 'deny');
    }),
    { numRuns: 30 },
  );
  expect(granted.n).toBeGreaterThan(10);
  expect(refused.n).toBeGreaterThan(10);
}, 60_000);

/** What another process would have: its own accounts over the same ledger. */
function start({ ledger, policy, approvals, state, env }: Governed): Process {
  const budgets = ledgerBudgets({ ledger, env, ids: idSource(env) });
  const governor = createGovernor({
    ...{ ledger, policy, approvals, budgets, registry: state.registry },
    standings: openStandings(ledger, () => env.now()),
    world: { protectedPaths: [], hiddenPaths: [], locate: () => undefined },
    limits: { intentsPerRun: 1e6, denialsPerRun: 10_000 },
  });
  return { governor, budgets };
}

function at<T>(all: readonly T[], i: number): T {
  return all[i % all.length] as T;
}
