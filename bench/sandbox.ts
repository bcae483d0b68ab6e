/** What the sandbox costs: /bin/true bare and in bubblewrap, in interleaved pairs, so that both meet the same machine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bubblewrapSandbox } from '../src/adapters/sandbox/bubblewrap/index.ts';
import type { Sandbox, SandboxProfile } from '../src/adapters/sandbox/port.ts';
import { type Env, systemEnv } from '../src/kernel/index.ts';

export interface SandboxBench {
  readonly pairs: number;
  readonly bareMs: number;
  readonly sandboxedMs: number;
  /** Median of the pairs' differences. */
  readonly addedMs: number;
}

export async function benchSandbox(pairs = 60): Promise<SandboxBench> {
  const env = systemEnv();
  const sandbox = bubblewrapSandbox({ env });
  const workspace = realpathSync(mkdtempSync(join(tmpdir(), 'agov-bench-')));
  try {
    const profile = projectIn(workspace);
    const rounds: { readonly bare: number; readonly sandboxed: number }[] = [];
    for (let round = -5; round < pairs; round++) {
      const bare = await timed(env, bareRun);
      const sandboxed = await timed(env, () => sandboxedRun(sandbox, profile));
      // The first rounds fill caches.
      if (round >= 0) rounds.push({ bare, sandboxed });
    }
    return {
      pairs,
      bareMs: median(rounds.map(({ bare }) => bare)),
      sandboxedMs: median(rounds.map(({ sandboxed }) => sandboxed)),
      addedMs: median(rounds.map(({ bare, sandboxed }) => sandboxed - bare)),
    };
  } finally {
    rmSync(workspace, { recursive: true });
  }
}

/** The guards of an ordinary project. */
function projectIn(workspace: string): SandboxProfile {
  for (const folder of ['.agov', 'policies', '.claude', '.git']) {
    mkdirSync(join(workspace, folder));
    writeFileSync(join(workspace, folder, 'file'), '');
  }
  for (const file of ['agov.yaml', 'tiers.yaml']) writeFileSync(join(workspace, file), '');
  const own = ['agov.yaml', 'policies', '.claude', '.codex', '.git'];
  return {
    workspace,
    access: 'read-write',
    hidden: [join(workspace, '.agov')],
    protected: own.map((path) => join(workspace, path)),
    readOnly: [],
    readWrite: [],
    network: { mode: 'none' },
  };
}

async function timed(env: Env, work: () => Promise<void>): Promise<number> {
  const from = env.monotonic();
  await work();
  return env.monotonic() - from;
}

async function bareRun(): Promise<void> {
  const child = spawn('/bin/true', [], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.resume();
  child.stderr.resume();
  await once(child, 'close');
}

async function sandboxedRun(sandbox: Sandbox, profile: SandboxProfile): Promise<void> {
  const running = await sandbox.start({ argv: ['/bin/true'], env: {}, stdin: 'none', profile });
  running.stdout.resume();
  running.stderr.resume();
  await running.exit;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return Math.round(middle * 100) / 100;
}
