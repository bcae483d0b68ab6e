/** Looks at each part that a decision rests on, and says in figures how it is and what to do where it is not well. */
import { statfs } from 'node:fs/promises';
import type { Sandbox } from '../../adapters/sandbox/port.ts';
import type { Secrets } from '../../adapters/secrets/port.ts';
import type { State } from '../../adapters/state/port.ts';
import type { Ledger } from '../../governance/ledger/index.ts';
import type { PolicySet } from '../../governance/policy/index.ts';
import { type Env, formatDuration, isAgovError, messageOf } from '../../kernel/index.ts';

/** `warn`: it works, and will not for long. `fail`: what rests on it is denied. */
export type ProbeVerdict = 'ok' | 'warn' | 'fail';

export interface ProbeResult {
  readonly probe: 'ledger' | 'state' | 'policy' | 'secrets' | 'sandbox' | 'disk' | 'clock';
  readonly verdict: ProbeVerdict;
  /** What was measured, for people. */
  readonly figure: string;
  /** What to do, where the verdict is not `ok`. */
  readonly remedy?: string;
  /** How long the look took, in milliseconds. */
  readonly ms: number;
}

export interface ProbeParts {
  readonly env: Env;
  readonly dataDir: string;
  readonly sandbox: Sandbox;
  ledger(): Promise<Ledger>;
  state(): Promise<State>;
  policy(): Promise<PolicySet>;
  /** Undefined where no secret was ever stored. */
  secrets(): Promise<Secrets | undefined>;
}

type Finding = Pick<ProbeResult, 'verdict' | 'figure' | 'remedy'>;

const lowDisk = 512 * 1024 * 1024;
const fullDisk = 16 * 1024 * 1024;
const skewMs = 2000;

/** One after the other, so that no probe slows another; a probe that throws has failed. */
export async function probeAll(parts: ProbeParts): Promise<readonly ProbeResult[]> {
  const probes: readonly [ProbeResult['probe'], (parts: ProbeParts) => Promise<Finding>][] = [
    ['ledger', probeLedger],
    ['state', probeState],
    ['policy', probePolicy],
    ['secrets', probeSecrets],
    ['sandbox', probeSandbox],
    ['disk', probeDisk],
    ['clock', probeClock],
  ];
  const results: ProbeResult[] = [];
  for (const [probe, look] of probes) {
    const began = parts.env.monotonic();
    const finding = await look(parts).catch(failure);
    results.push({ probe, ...finding, ms: Math.round((parts.env.monotonic() - began) * 10) / 10 });
  }
  return results;
}

function failure(error: unknown): Finding {
  if (!isAgovError(error)) return { verdict: 'fail', figure: messageOf(error) };
  return { verdict: 'fail', figure: error.what, ...(error.fix ? { remedy: error.fix } : {}) };
}

async function probeLedger({ ledger }: ProbeParts): Promise<Finding> {
  const log = await ledger();
  const { size } = log.head();
  const open = log.openIds().length;
  return { verdict: 'ok', figure: `${size} entries, ${open} open` };
}

async function probeState({ state }: ProbeParts): Promise<Finding> {
  const { registry } = await state();
  const [agents, runs] = [await registry.list(), await registry.liveRuns()];
  const active = agents.filter((agent) => agent.status === 'active').length;
  return { verdict: 'ok', figure: `${active} of ${agents.length} agents active, ${runs.length} running` };
}

async function probePolicy({ policy }: ProbeParts): Promise<Finding> {
  const { size, version } = await policy();
  return { verdict: 'ok', figure: `${size} policies, version ${version.slice(0, 12)}` };
}

async function probeSecrets({ secrets }: ProbeParts): Promise<Finding> {
  const store = await secrets();
  if (!store) return { verdict: 'ok', figure: 'none stored yet' };
  const [stored, leases] = [await store.list(), await store.leases()];
  return { verdict: 'ok', figure: `${stored.length} stored, ${leases.length} leased` };
}

async function probeSandbox({ sandbox }: ProbeParts): Promise<Finding> {
  const { ok, detail } = await sandbox.health();
  if (sandbox.kind === 'none') {
    return {
      verdict: 'warn',
      figure: detail,
      remedy: 'Set "sandbox: bubblewrap" in agov.yaml, and install bubblewrap.',
    };
  }
  return ok ? { verdict: 'ok', figure: detail } : { verdict: 'fail', figure: 'no run was possible', remedy: detail };
}

async function probeDisk({ dataDir }: ProbeParts): Promise<Finding> {
  const { bavail, bsize } = await statfs(dataDir);
  const free = bavail * bsize;
  const figure = `${Math.round(free / 1024 / 1024)} MiB free`;
  if (free >= lowDisk) return { verdict: 'ok', figure };
  const remedy = `Free space on the disk of ${dataDir}: without a record nothing is allowed.`;
  return { verdict: free < fullDisk ? 'fail' : 'warn', figure, remedy };
}

/** Leases and approvals end by the clock, so one that has gone back gives them time that nobody meant. */
async function probeClock({ env, ledger }: ProbeParts): Promise<Finding> {
  const [newest] = (await ledger()).query({ newestFirst: true, limit: 1 });
  const ahead = newest ? Date.parse(newest.at) - env.now() : 0;
  if (ahead <= skewMs) return { verdict: 'ok', figure: 'not behind the record' };
  return {
    verdict: 'warn',
    figure: `${formatDuration(ahead)} behind the newest entry`,
    remedy: 'Set the clock (timedatectl set-ntp true): leases and approvals end later than they should.',
  };
}
