/**
 * How fast the ledger takes entries that are durable when acknowledged, beside what the same disk does in bare
 * fdatasync calls at the same time: without that the figures say nothing.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ledger, loadOrCreateKey, openLedger } from '../src/governance/ledger/index.ts';
import { idSource, systemEnv } from '../src/kernel/index.ts';
import type { EntryDraft } from '../src/schemas/index.ts';

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
const tmpfsMagic = 0x01021994;

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
      entryBytes: ledger.bytes(0)?.length ?? 0,
      ledger: figures,
      verifyEntriesPerSecond: Math.round(report.size / ((performance.now() - began) / 1000)),
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function realDisk(): string {
  return [tmpdir(), process.cwd()].find((dir) => !isTmpfs(dir)) ?? tmpdir();
}

function isTmpfs(dir: string): boolean {
  return statfsSync(dir).type === tmpfsMagic;
}

async function measure(ledger: Ledger, dir: string, appenders: number): Promise<LedgerFigures> {
  const rates: number[] = [];
  const syncs: number[] = [];
  const latencies: number[] = [];
  for (let window = 0; window < windows; window++) {
    syncs.push(fdatasyncRate(dir));
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
    for (let n = 0, at = performance.now(); at - began < forMs; n++) {
      await ledger.append(draft(appender, n));
      const now = performance.now();
      ms.push(now - at);
      at = now;
    }
  };
  await Promise.all(Array.from({ length: appenders }, (_, appender) => appendInTurn(appender)));
  return { rate: ms.length / ((performance.now() - began) / 1000), ms };
}

/** About 400 bytes once written, and of the kind that a governor appends. */
function draft(appender: number, n: number): EntryDraft {
  return {
    kind: n % 2 === 0 ? 'intent' : 'outcome',
    run: `0190a0b0-0000-7000-8000-00000000000${appender % 5}`,
    agent: `agent-${appender % 7}`,
    tier: 'T1',
    parent: `0190a0b0-0000-7000-8000-${String(appender).padStart(4, '0')}${String(n).padStart(8, '0')}`,
    body: {
      intent: { action: 'process.exec', resource: 'git', args: { argv: ['git', 'status', '--porcelain'] } },
      decision: { verdict: 'allow', policies: ['t1-exec'], reasons: ['T1 may run listed tools'] },
    },
  };
}

function fdatasyncRate(dir: string): number {
  const path = join(dir, 'fdatasync');
  const file = openSync(path, 'w');
  try {
    const block = Buffer.alloc(4096, 1);
    for (let i = 0; i < 16; i++) writeSync(file, block);
    fdatasyncSync(file);
    const calls = 200;
    const began = performance.now();
    for (let i = 0; i < calls; i++) {
      writeSync(file, block, 0, block.length, (i % 16) * block.length);
      fdatasyncSync(file);
    }
    return calls / ((performance.now() - began) / 1000);
  } finally {
    closeSync(file);
    rmSync(path);
  }
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
