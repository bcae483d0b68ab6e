/** What decides: tiers, policy, approvals, the roster of agents, and the governor over them. */
import { join } from 'node:path';
import { type Approvals, ledgerApprovals } from '../../governance/approvals/index.ts';
import { type Budgets, ledgerBudgets, sharedAccounts } from '../../governance/budgets/index.ts';
import {
  createGovernor,
  type Governor,
  governorMark,
  recordPolicy,
  type World,
} from '../../governance/governor/index.ts';
import type { Ledger } from '../../governance/ledger/index.ts';
import type { PolicyOptions, PolicySet } from '../../governance/policy/index.ts';
import { openStandings, type Standings } from '../../governance/standing/index.ts';
import { loadTiers, type Tiers } from '../../governance/tiers/index.ts';
import { cacheFolder, parseDuration } from '../../kernel/index.ts';
import { ledgerRoster, type Roster } from '../../work/agents/index.ts';
import { retireOrphans } from '../../work/teams/index.ts';
import { type Frame, once } from '../frame.ts';
import type { Stores } from '../state/stores.ts';
import type { Kills } from './kills.ts';

export interface Rules {
  tiers(): Promise<Tiers>;
  policy(): Promise<PolicySet>;
  /** What the policy set is made from, for checks that do not stop at a fault. */
  policySources(): Promise<PolicyOptions>;
  approvals(): Promise<Approvals>;
  roster(): Promise<Roster>;
  governor(): Promise<Governor>;
  /** One for all that this process does: who stands where, as the ledger tells. */
  standings(): Promise<Standings>;
  /** One for all that this process does: what is on its way into the ledger counts. */
  budgets(): Promise<Budgets>;
  /** To be looked at alone. */
  accounts(): Promise<Budgets>;
}

export function openRules(
  { env, ids, config, root, environment }: Frame,
  stores: Stores,
  world: World,
  kills: Kills,
): Rules {
  const { ledger, state } = stores;
  const tiers = once(() => loadTiers(config.tiers === undefined ? {} : { file: join(root, config.tiers) }));
  const policySources = async () => ({
    tiers: await tiers(),
    projectDir: root,
    overrides: { tools: config.tools, hosts: config.hosts },
  });
  const policy = once(async () => {
    const { loadPolicySet, triedIn } = await import('../../governance/policy/index.ts');
    const folder = cacheFolder(environment);
    return loadPolicySet({ ...(await policySources()), tried: folder === undefined ? undefined : triedIn(folder) });
  });
  const rolesOf = (name: string): readonly string[] => config.operators.find((one) => one.name === name)?.roles ?? [];
  const approvals = once(async () =>
    ledgerApprovals(await ledger(), env, parseDuration(config.approvals.ttl), rolesOf),
  );
  const roster = once(async () => {
    const made = ledgerRoster(await ledger(), (await state()).registry);
    await made.reconcile();
    return made;
  });
  // Hosts have a ledger each, and share the state alone.
  const shared = async () =>
    config.state.url === undefined
      ? undefined
      : sharedAccounts({ state: await state(), env, host: governorMark().host });
  const budgets = once(async () => ledgerBudgets({ ledger: await ledger(), ids, env, shared: await shared() }));
  const accounts = once(async () => ledgerBudgets({ ledger: await stores.record(), ids, env }));
  const standings = once(async () => openStandings(await ledger(), () => env.now()));
  const governor = once(async () => {
    await roster();
    const set = await policy();
    const made = createGovernor({
      ledger: await ledger(),
      registry: (await state()).registry,
      standings: await standings(),
      bounds: config.teams,
      policy: set,
      approvals: await approvals(),
      budgets: await budgets(),
      world,
      limits: config.limits,
      recover: async () => (await roster()).reconcile(),
    });
    await recordPolicy(await ledger(), set);
    await made.settle();
    await retireOrphans(await ledger(), roster);
    await (await approvals()).expire();
    await finishKills(await ledger(), kills);
    return made;
  });
  return { tiers, policySources, policy, approvals, roster, governor, standings, budgets, accounts };
}

/** What a kill has left undone, as far as it can be done at once. */
async function finishKills(ledger: Ledger, { retryKills }: Kills): Promise<void> {
  if (!ledger.openIds().some((id) => ledger.byId(id)?.kind === 'kill')) return;
  // It stays on record as unfinished, "agov doctor" tells it, and it keeps nobody else from working.
  await retryKills({ quick: true }).catch(() => undefined);
}
