/** Looks at each part that a decision rests on, and says in figures how it is and what to do where it is not well. */
import { AgovError, type Env, formatDuration, isAgovError, messageOf } from '../../kernel/index.ts';
import { probeClock, probeDisk, probePolicy, probeSandbox } from './machine.ts';
import { probeKills, probeLeases, probeLedger, probeSecrets, probeSigner, probeState, probeVault } from './stores.ts';
import type { Finding, ProbeName, ProbeParts, ProbeResult } from './types.ts';
import { probeWorkers } from './workers.ts';

export interface ProbeOptions {
  /** What no look may take longer than, in milliseconds. */
  readonly deadlineMs?: number;
  /** Looks at these alone. */
  readonly only?: readonly ProbeName[];
  /** Called as each look begins. */
  readonly onProbe?: (probe: ProbeName) => void;
}

/** Undefined: there is no such part here. */
type Look = (parts: ProbeParts) => Promise<Finding | undefined>;

/** Looks of one row go together: they ask one server, and a server that hangs is to cost its deadline once. */
const probes: readonly (readonly (readonly [ProbeName, Look])[])[] = [
  [['ledger', probeLedger]],
  [['signer', probeSigner]],
  [['state', probeState]],
  [['policy', probePolicy]],
  [
    ['vault', probeVault],
    ['secrets', probeSecrets],
    ['leases', probeLeases],
  ],
  [['kills', probeKills]],
  [['workers', probeWorkers]],
  [['sandbox', probeSandbox]],
  [['disk', probeDisk]],
  [['clock', probeClock]],
];
const usualDeadlineMs = 5000;

/** Row by row, so that no probe slows another; one that throws has failed, and one that hangs as well. */
export async function probeAll(parts: ProbeParts, options: ProbeOptions = {}): Promise<readonly ProbeResult[]> {
  const { env } = parts;
  const { deadlineMs = usualDeadlineMs, only, onProbe } = options;
  const kept = <T>(ask: () => Promise<T>): (() => Promise<T>) => askedOnce(() => within(env, deadlineMs, ask));
  const shared = { ...parts, stateHealth: kept(parts.stateHealth), vaultHealth: kept(parts.vaultHealth) };
  const look = async ([probe, find]: readonly [ProbeName, Look]): Promise<ProbeResult[]> => {
    onProbe?.(probe);
    const began = env.monotonic();
    const finding = await within(env, deadlineMs, () => find(shared)).catch(failure);
    return finding ? [{ probe, ...finding, ms: Math.round((env.monotonic() - began) * 10) / 10 }] : [];
  };
  const results: ProbeResult[] = [];
  for (const row of probes) {
    const wanted = row.filter(([probe]) => only?.includes(probe) ?? true);
    results.push(...(await Promise.all(wanted.map(look))).flat());
  }
  return results;
}

/** The worst of them, for an exit code. */
export function worst(results: readonly ProbeResult[]): ProbeResult['verdict'] {
  const verdicts = results.map(({ verdict }) => verdict);
  return verdicts.includes('fail') ? 'fail' : verdicts.includes('warn') ? 'warn' : 'ok';
}

/** @throws AgovError INTERNAL where there is no answer in time */
export async function within<T>(env: Env, deadlineMs: number, work: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = env.sleep(deadlineMs, over.signal).then(() => {
    throw new AgovError('INTERNAL', {
      what: `No answer within ${formatDuration(deadlineMs)}.`,
      fix: 'Something hangs: look at the disk, the network and the load.',
    });
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    over.abort();
  }
}

function failure(error: unknown): Finding {
  if (!isAgovError(error)) return { verdict: 'fail', figure: messageOf(error) };
  return { verdict: 'fail', figure: error.what, ...(error.fix ? { remedy: error.fix } : {}) };
}

/** For all that want to know it. */
function askedOnce<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => {
    asked ??= ask();
    return asked;
  };
}
