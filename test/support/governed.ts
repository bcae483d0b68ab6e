/** A governor over a real ledger and real state in a temporary folder, with a clock that moves when told. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedState } from '../../src/adapters/state/embedded/index.ts';
import type { State } from '../../src/adapters/state/port.ts';
import { type Approvals, ledgerApprovals } from '../../src/governance/approvals/index.ts';
import { type Budgets, ledgerBudgets } from '../../src/governance/budgets/index.ts';
import type { Bounds } from '../../src/governance/delegation/index.ts';
import { type Channel, createGovernor, type Governor, type Limits } from '../../src/governance/governor/index.ts';
import { type Ledger, loadOrCreateKey, openLedger } from '../../src/governance/ledger/index.ts';
import { loadPolicySet, type PolicySet } from '../../src/governance/policy/index.ts';
import { openStandings, type Standings } from '../../src/governance/standing/index.ts';
import { loadTiers } from '../../src/governance/tiers/index.ts';
import { idSource } from '../../src/kernel/index.ts';
import type { Tier } from '../../src/schemas/index.ts';
import { ledgerRoster } from '../../src/work/agents/index.ts';
import { type FakeEnv, fakeEnv } from './fake-env.ts';

export interface Governed extends AsyncDisposable {
  readonly env: FakeEnv;
  readonly dir: string;
  readonly ledger: Ledger;
  readonly state: State;
  readonly policy: PolicySet;
  readonly approvals: Approvals;
  readonly governor: Governor;
  readonly budgets: Budgets;
  readonly standings: Standings;
  channel(agent: string, run?: string): Channel;
  /** Closes everything and opens it again, as after a restart. */
  reopen(): Promise<Governed>;
}

export interface GovernedOptions {
  readonly agents?: Readonly<Record<string, Tier>>;
  readonly limits?: Partial<Limits>;
  readonly bounds?: Bounds;
  readonly approvalTtlMs?: number;
  /** By operator; as the configuration has them now, so that a test may change them. */
  readonly roles?: Record<string, readonly string[]>;
  readonly dir?: string;
  readonly env?: FakeEnv;
}

export async function governed(options: GovernedOptions = {}): Promise<Governed> {
  const env = options.env ?? fakeEnv();
  const dir = options.dir ?? realpathSync(mkdtempSync(join(tmpdir(), 'agov-governed-')));
  const workspace = join(dir, 'project');
  mkdirSync(join(workspace, '.agov'), { recursive: true });
  // Ids from the clock alone would repeat after a reopening: the seed of the fake changes with each one.
  const ids = idSource(env);
  const ledger = await openLedger({
    path: join(dir, 'ledger.db'),
    key: loadOrCreateKey(join(dir, 'ledger.key'), 'example.com/test'),
    ...{ env, ids },
  });
  const state = await openEmbeddedState({ path: join(dir, 'state.db'), env });
  const policy = await loadPolicySet({ tiers: await loadTiers(), projectDir: workspace });
  const rolesOf = (operator: string) => options.roles?.[operator] ?? [];
  const approvals = ledgerApprovals(ledger, env, options.approvalTtlMs ?? 3_600_000, rolesOf);
  const roster = ledgerRoster(ledger, state.registry);
  for (const [name, tier] of Object.entries(options.agents ?? {})) {
    await roster.add(name, tier, { operator: 'ada', user: 'ada' });
  }
  const budgets = ledgerBudgets({ ledger, ids, env });
  const standings = openStandings(ledger, () => env.now());
  const governor = createGovernor({
    ...{ ledger, policy, approvals, budgets, standings, registry: state.registry },
    bounds: options.bounds ?? { depth: 3, members: 32 },
    world: {
      protectedPaths: [join(workspace, 'agov.yaml')],
      hiddenPaths: [join(workspace, '.agov')],
      locate: (program) => `/usr/bin/${program}`,
    },
    limits: { intentsPerRun: 1000, denialsPerRun: 100, ...options.limits },
  });
  const close = async (): Promise<void> => {
    await ledger[Symbol.asyncDispose]();
    await state[Symbol.asyncDispose]();
  };
  return {
    ...{ env, dir, ledger, state, policy, approvals, governor, budgets, standings },
    channel: (agent, run = 'run-1') => ({ agent, run, workspace }),
    async reopen() {
      await close();
      const { agents: _added, ...rest } = options;
      return governed({ ...rest, dir, env });
    },
    async [Symbol.asyncDispose]() {
      await close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
