/** A governor, a ledger and a state on a real disk, and pipelines whose stages do nothing: what is left is the engine. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openEmbeddedState } from '../../src/adapters/state/embedded/index.ts';
import type { Locks } from '../../src/adapters/state/port.ts';
import { ledgerApprovals } from '../../src/governance/approvals/index.ts';
import { type Artifacts, fileArtifacts } from '../../src/governance/evidence/index.ts';
import { createGovernor, type Governor } from '../../src/governance/governor/index.ts';
import { type Ledger, loadOrCreateKey, openLedger } from '../../src/governance/ledger/index.ts';
import { loadPolicySet } from '../../src/governance/policy/index.ts';
import { openStandings } from '../../src/governance/standing/index.ts';
import { loadTiers } from '../../src/governance/tiers/index.ts';
import { type Env, type IdSource, idSource, systemEnv } from '../../src/kernel/index.ts';
import { type Pipeline, pipelineSchema } from '../../src/schemas/index.ts';
import { ledgerRoster } from '../../src/work/agents/index.ts';
import type { Perform } from '../../src/work/pipeline/index.ts';
import { realDisk } from '../disk.ts';

export interface Ground extends AsyncDisposable {
  readonly dir: string;
  readonly workspace: string;
  readonly env: Env;
  readonly ids: IdSource;
  readonly ledger: Ledger;
  readonly artifacts: Artifacts;
  readonly governor: Governor;
  readonly locks: Locks;
  readonly graceMs: number;
  /** Judged and recorded as any command, and then nothing is done. */
  readonly perform: Perform;
}

export async function openGround(): Promise<Ground> {
  const env = systemEnv();
  const ids = idSource(env);
  const dir = mkdtempSync(join(realpathSync(realDisk()), '.agov-bench-'));
  const workspace = join(dir, 'project');
  mkdirSync(workspace);
  const key = loadOrCreateKey(join(dir, 'key'), 'bench.example/pipeline');
  const ledger = await openLedger({ path: join(dir, 'ledger.db'), key, env, ids });
  const state = await openEmbeddedState({ path: join(dir, 'state.db'), env });
  await ledgerRoster(ledger, state.registry).add('bench', 'T1', { operator: 'bench', user: 'bench' });
  const governor = createGovernor({
    ...{ ledger, registry: state.registry, approvals: ledgerApprovals(ledger, env, 60_000) },
    standings: openStandings(ledger, () => env.now()),
    policy: await loadPolicySet({ tiers: await loadTiers() }),
    world: { protectedPaths: [], hiddenPaths: [], locate: (program) => `/usr/bin/${program}` },
    limits: { intentsPerRun: 1_000_000, denialsPerRun: 1 },
  });
  return {
    ...{ dir, workspace, env, ids, ledger, governor, locks: state.locks, graceMs: 10_000 },
    artifacts: fileArtifacts(join(dir, 'artifacts'), ids),
    perform: ({ run, stage, workspace: folder, begun, early }) =>
      governor.act(
        { agent: stage.agent, run, workspace: folder },
        { action: 'process.exec', resource: 'git', args: { argv: ['git', 'status'] } },
        async () => ({ outcome: { status: 'ok', facts: {} }, value: undefined }),
        { parent: begun.id, after: begun.after ?? begun.id, early },
      ),
    async [Symbol.asyncDispose]() {
      await ledger[Symbol.asyncDispose]();
      await state[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export const stagesEach = 1000;
export const atOnce = 50;

/** `chain`: each stage needs the one before. `fan-out`: none needs another. */
export function pipelineOf(shape: 'chain' | 'fan-out'): Pipeline {
  const stages = Array.from({ length: stagesEach }, (_, i) => {
    const needs = shape === 'chain' && i > 0 ? [`s-${i - 1}`] : [];
    return [`s-${i}`, { agent: 'bench', needs, run: ['git', 'status'] }];
  });
  return pipelineSchema.parse({
    ...{ apiVersion: 'agov/v1', kind: 'Pipeline', name: shape },
    parallel: shape === 'chain' ? 1 : atOnce,
    stages: Object.fromEntries(stages),
  }) as Pipeline; // no stage of it uses a template
}
