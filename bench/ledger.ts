/**
 * How fast the ledger takes entries that are durable when acknowledged, beside what the same disk does in bare
 * fdatasync calls at the same time: without that the figures say nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Ledger, loadOrCreateKey, openLedger } from '../src/governance/ledger/index.ts';
import { idSource, systemEnv } from '../src/kernel/index.ts';
import type { EntryDraft } from '../src/schemas/index.ts';
import { fdatasyncTimes, isTmpfs, quantile, realDisk } from './disk.ts';

export interface LedgerFigures {
  readonly appenders: number;
  /** Median over windows. */
  readonly entriesPerSecond: number;
  readonly bestWindow: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Median of measurements between the windows: 4 KiB written over, then fdatasync. */
  readonly fdatasyncPerSecond: number;
}

export interface LedgerBench {
  readonly folder: string;
  /** `tmpfs` means that nothing was durable, and the figures are not to be quoted. */
  readonly disk: 'disk' | 'tmpfs';
  readonly entryBytes: number;
  readonly ledger: readonly LedgerFigures[];
  readonly verifyEntriesPerSecond: number;
}

const windows = 6;
const windowMs = 500;

export async function benchLedger(): Promise<LedgerBench> {
  const env = systemEnv();
  const dir = mkdtempSync(join(realDisk(), '.agov-bench-'));
  try {
    const key = loadOrCreateKey(join(dir, 'key'), 'bench.example/ledger');
    await using ledger = await openLedger({ path: join(dir, 'data', 'ledger.db'), key, env, ids: idSource(env) });
    // Code that has not been compiled yet is no one's throughput.
    await appendFor(ledger, 64, windowMs);
    const figures = [await measure(ledger, dir, 1), await measure(ledger, dir, 64)];
    const began = performance.now();
    const report = ledger.verify();
    if (!report.ok) throw new Error(`the bench's own ledger does not verify: ${report.problems[0].what}`);
    return {
      folder: dir,
      disk: isTmpfs(dir) ? 'tmpfs' : 'disk',
      entryBytes: ledger.bytes(1000)?.length ?? 0,
      ledger: figures,
      verifyEntriesPerSecond: Math.round(report.size / ((performance.now() - began) / 1000)),
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function measure(ledger: Ledger, dir: string, appenders: number): Promise<LedgerFigures> {
  const rates: number[] = [];
  const syncs: number[] = [];
  const latencies: number[] = [];
  for (let window = 0; window < windows; window++) {
    syncs.push(1000 / quantile(fdatasyncTimes(dir, 200), 0.5));
    const { rate, ms } = await appendFor(ledger, appenders, windowMs);
    rates.push(rate);
    for (const latency of ms) latencies.push(latency);
  }
  return {
    appenders,
    entriesPerSecond: Math.round(quantile(rates, 0.5)),
    bestWindow: Math.round(Math.max(...rates)),
    p50Ms: round(quantile(latencies, 0.5)),
    p99Ms: round(quantile(latencies, 0.99)),
    fdatasyncPerSecond: Math.round(quantile(syncs, 0.5)),
  };
}

async function appendFor(
  ledger: Ledger,
  appenders: number,
  forMs: number,
): Promise<{ readonly rate: number; readonly ms: readonly number[] }> {
  const ms: number[] = [];
  const began = performance.now();
  const appendInTurn = async (appender: number): Promise<void> => {
    let parent: string | undefined;
    for (let n = 0, at = performance.now(); at - began < forMs; n++) {
      const { id } = await ledger.append(draft(appender, n, parent));
      parent = id;
      const now = performance.now();
      ms.push(now - at);
      at = now;
    }
  };
  await Promise.all(Array.from({ length: appenders }, (_, appender) => appendInTurn(appender)));
  return { rate: ms.length / ((performance.now() - began) / 1000), ms };
}

/** Some 430 bytes once written, and of the kind that a governor appends: each below the one before it. */
function draft(appender: number, n: number, parent: string | undefined): EntryDraft {
  return {
    kind: n % 2 === 0 ? 'intent' : 'outcome',
    run: `0190a0b0-0000-7000-8000-00000000000${appender % 5}`,
    agent: `agent-${appender % 7}`,
    tier: 'T1',
    ...(parent === undefined ? {} : { parent }),
    body: {
      intent: { action: 'process.exec', resource: 'git', args: { argv: ['git', 'status', '--porcelain'] } },
      decision: { verdict: 'allow', policies: ['t1-exec'], reasons: ['T1 may run listed tools'] },
    },
  };
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
