/** What a kill is asked for, what it needs, and what it tells. */
import type { Secrets } from '../../adapters/secrets/port.ts';
import type { AgentRecord, State } from '../../adapters/state/port.ts';
import type { Ledger } from '../../governance/ledger/index.ts';
import type { Env } from '../../kernel/index.ts';
import type { Tier } from '../../schemas/index.ts';
import type { OperatorAct } from '../../work/agents/index.ts';

export type KillTarget =
  | { readonly agent: string }
  | { readonly run: string }
  | { readonly tier: Tier }
  | { readonly all: true };

/** `kill` is for good. `move`: what runs by a tier that the agent no longer has. */
export const deeds = ['kill', 'freeze', 'thaw', 'move'] as const;
export type Deed = (typeof deeds)[number];

/** In the order in which they are told; `processes` begins beside `identity`, and `locks` when both are over. */
export const stepNames = ['record', 'mark', 'announce', 'identity', 'leases', 'locks', 'processes'] as const;
export type StepName = (typeof stepNames)[number];

export interface KillStep {
  readonly step: StepName;
  readonly ok: boolean;
  readonly ms: number;
  readonly detail: string;
}

export interface KillReport {
  readonly deed: Deed;
  readonly agent?: string;
  readonly run?: string;
  /** The entry that ordered it, and the one that tells what came of it. */
  readonly order: string;
  readonly entry: string;
  readonly steps: readonly KillStep[];
  readonly ms: number;
}

export interface Thawed {
  readonly thawed: readonly KillReport[];
  /** Who stays frozen, for a cause of their own: a thaw of many undoes only orders over as many. */
  readonly left: readonly AgentRecord[];
}

/** What of an authority a kill needs: see its port. */
export interface KillIdentities {
  /** False where there is no identity. */
  suspend(agent: string): Promise<boolean>;
  restore(agent: string): Promise<boolean>;
  revoke(agent: string): Promise<{ readonly known: boolean; readonly tokens: number }>;
  revokeTier(tier: Tier): Promise<{ readonly known: boolean; readonly tokens: number }>;
}

export interface KillParts {
  readonly env: Env;
  readonly ledger: Ledger;
  /** `host/boot-id` of this machine. */
  readonly host: string;
  /** That it cannot be opened fails the steps that need it and no other. */
  readonly state: () => Promise<State>;
  /** Undefined where no secret was ever stored. */
  readonly secrets: () => Promise<Secrets | undefined>;
  /** Undefined where agents have no identity outside the ledger. */
  readonly identities?: () => Promise<KillIdentities | undefined>;
  /** How long the processes may take to be confirmed dead; 10 s by default. */
  readonly deadlineMs?: number;
  /** Steps that a retry leaves for another time. */
  readonly skip?: readonly StepName[];
  /** Told every second that it takes: what is not done yet. */
  readonly onProgress?: (text: string) => void;
}

export interface Why {
  readonly by: OperatorAct;
  readonly reason: string;
}

/** One agent or one run that something is done to, by an order that is on record. */
export interface Subject {
  readonly deed: Deed;
  readonly order: string;
  /** As it is after the deed; undefined where a run is the subject. */
  readonly agent: AgentRecord | undefined;
  readonly run: string | undefined;
  /** Milliseconds since the epoch. */
  readonly orderedAt: number;
  readonly why: Why;
}
