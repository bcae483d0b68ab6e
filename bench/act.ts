/** What a whole governed no-op costs: identify, decide, record the intent, do nothing, record the outcome. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openEmbeddedState } from '../src/adapters/state/embedded/index.ts';
import { ledgerApprovals } from '../src/governance/approvals/index.ts';
import { type Channel, createGovernor, type Governor } from '../src/governance/governor/index.ts';
import { loadOrCreateKey, openLedger } from '../src/governance/ledger/index.ts';
import { loadPolicySet } from '../src/governance/policy/index.ts';
import { openStandings } from '../src/governance/standing/index.ts';
import { loadTiers } from '../src/governance/tiers/index.ts';
import { idSource, systemEnv } from '../src/kernel/index.ts';
import { ledgerRoster } from '../src/work/agents/index.ts';
import { bareSqlite, fdatasyncTimes, growingFsyncTimes, isTmpfs, quantile, realDisk } from './disk.ts';

export interface ActBench {
  readonly disk: 'disk' | 'tmpfs';
  readonly acts: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Medians of the same disk, measured between the acts. */
  readonly fdatasyncMs: number;
  /** fsync of a file that grows by 4 KiB. */
  readonly growingFsyncMs: number;
  /** Two commits of one row of 400 bytes each in bare SQLite, WAL and FULL: what no act can go below. */
  readonly bareSqliteMs: number;
  /** 1.5 × (two fdatasync + 0.1 ms). */
  readonly targetP50Ms: number;
}

const windows = 8;
const perWindow = 250;

export async function benchAct(): Promise<ActBench> {
  const dir = mkdtempSync(join(realDisk(), '.agov-bench-'));
  try {
    await using bench = await open(dir);
    await acts(bench, 500);
    const times: number[] = [];
    const disk: number[] = [];
    const growing: number[] = [];
    const bare: number[] = [];
    using sqlite = bareSqlite(dir);
    sqlite.pairs(500);
    for (let window = 0; window < windows; window++) {
      disk.push(...fdatasyncTimes(dir, 100));
      growing.push(...growingFsyncTimes(dir, 100));
      bare.push(...sqlite.pairs(100));
      times.push(...(await acts(bench, perWindow)));
    }
    const fdatasyncMs = quantile(disk, 0.5);
    return {
      disk: isTmpfs(dir) ? 'tmpfs' : 'disk',
      acts: times.length,
      p50Ms: round(quantile(times, 0.5)),
      p99Ms: round(quantile(times, 0.99)),
      fdatasyncMs: round(fdatasyncMs),
      growingFsyncMs: round(quantile(growing, 0.5)),
      bareSqliteMs: round(quantile(bare, 0.5)),
      targetP50Ms: round(1.5 * (2 * fdatasyncMs + 0.1)),
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

interface Bench extends AsyncDisposable {
  readonly governor: Governor;
  readonly channel: Channel;
}

async function open(dir: string): Promise<Bench> {
  const env = systemEnv();
  const workspace = join(dir, 'project');
  mkdirSync(workspace);
  const key = loadOrCreateKey(join(dir, 'key'), 'bench.example/act');
  const ledger = await openLedger({ path: join(dir, 'ledger.db'), key, env, ids: idSource(env) });
  const state = await openEmbeddedState({ path: join(dir, 'state.db'), env });
  await ledgerRoster(ledger, state.registry).add('bench', 'T1', { operator: 'bench', user: 'bench' });
  const governor = createGovernor({
    ledger,
    registry: state.registry,
    standings: openStandings(ledger, () => env.now()),
    policy: await loadPolicySet({ tiers: await loadTiers() }),
    approvals: ledgerApprovals(ledger, env, 60_000),
    world: { protectedPaths: [join(workspace, 'agov.yaml')], hiddenPaths: [], locate: () => undefined },
    limits: { intentsPerRun: 1_000_000, denialsPerRun: 1 },
  });
  return {
    governor,
    channel: { agent: 'bench', run: 'bench', workspace },
    async [Symbol.asyncDispose]() {
      await ledger[Symbol.asyncDispose]();
      await state[Symbol.asyncDispose]();
    },
  };
}

/** Milliseconds of each. */
async function acts({ governor, channel }: Bench, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    const intent = { action: 'fs.write', resource: `file-${i % 10}.txt`, args: { size: i } } as const;
    const acted = await governor.act(channel, intent, async () => ({ outcome: { status: 'ok', facts: {} }, value: i }));
    times.push(performance.now() - began);
    if (acted.verdict !== 'allow') throw new Error(`the bench's own intent was not allowed: ${acted.decision.reasons}`);
  }
  return times;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
