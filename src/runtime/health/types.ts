/** What a look at one part gives, and what the looks need. */
import type { ListedWorker } from '../../adapters/queue/port.ts';
import type { Sandbox } from '../../adapters/sandbox/port.ts';
import type { Secrets } from '../../adapters/secrets/port.ts';
import type { State } from '../../adapters/state/port.ts';
import type { Ledger } from '../../governance/ledger/index.ts';
import type { PolicySet } from '../../governance/policy/index.ts';
import type { Env } from '../../kernel/index.ts';

/** `warn`: it works, and will not for long, or not as it should. `fail`: what rests on it is denied. */
export type ProbeVerdict = 'ok' | 'warn' | 'fail';

export interface Finding {
  readonly verdict: ProbeVerdict;
  /** What was measured, for people. */
  readonly figure: string;
  /** What to do, where the verdict is not `ok`. */
  readonly remedy?: string;
  /** The same for machines; a unit is the end of the name. */
  readonly facts?: Readonly<Record<string, number | string>>;
}

export type ProbeName =
  | 'ledger'
  | 'signer'
  | 'state'
  | 'policy'
  | 'vault'
  | 'secrets'
  | 'leases'
  | 'kills'
  | 'sandbox'
  | 'disk'
  | 'clock'
  | 'workers';

export interface ProbeResult extends Finding {
  readonly probe: ProbeName;
  /** How long the look took, in milliseconds. */
  readonly ms: number;
}

/** What a state store says of itself; `at` is its own clock, where it has one. */
export interface StateHealth {
  readonly engine: string;
  readonly persistence: string;
  readonly roundTripMs?: number;
  readonly at?: number;
  readonly memoryUsed?: number;
}

export interface VaultHealth {
  readonly state: 'active' | 'standby' | 'replica' | 'sealed' | 'uninitialised' | 'throttled';
  readonly version?: string;
  /** Its clock, whole seconds as milliseconds since the epoch. */
  readonly at?: number;
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
  stateHealth(): Promise<StateHealth>;
  /** Undefined where the project has no Vault. */
  vaultHealth(): Promise<VaultHealth | undefined>;
  /** Makes one signature with a ledger key that lies elsewhere. Undefined where the key is a file. */
  readonly sign?: (() => Promise<void>) | undefined;
  /** What revocations have left undone, one sentence each. */
  readonly unfinishedKills?: (() => Promise<readonly string[]>) | undefined;
  /** Those that do stages, and the format of the jobs that they are given; undefined where stages are done in one process. */
  readonly workers?: (() => Promise<{ readonly listed: readonly ListedWorker[]; readonly format: number }>) | undefined;
}
