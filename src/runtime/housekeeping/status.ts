/** What a housekeeper says of itself, to whoever asks: figures and sentences, never a secret. */
import type { BreakerStatus } from '../breakers/index.ts';
import type { ProbeResult } from '../health/index.ts';
import type { ChoreStatus } from './loop.ts';

export interface ServeStatus {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
  /** Whether decisions can be had here now; if not, why. */
  readonly ready: boolean;
  readonly reasons: readonly string[];
  readonly breakers: readonly BreakerStatus[];
  readonly chores: readonly ChoreStatus[];
  /** The last look at everything, and when it was. */
  readonly health?: { readonly at: string; readonly probes: readonly ProbeResult[] };
}

/** Parts without which nothing is decided. */
const needed = new Set<ProbeResult['probe']>(['ledger', 'signer', 'state', 'policy', 'sandbox', 'disk']);

/** Why no decision can be had; empty when it can. */
export function unready(health: ServeStatus['health'], breakers: readonly BreakerStatus[]): readonly string[] {
  if (!health) return ['Nothing has been looked at yet.'];
  const open = breakers.filter(({ state }) => state !== 'closed');
  const failed = health.probes.filter(({ probe, verdict }) => verdict === 'fail' && needed.has(probe));
  return [
    ...open.map(({ name, reason = '' }) => `${name}: ${reason}`),
    ...failed.map(({ probe, figure }) => `${probe}: ${figure}`),
  ];
}
