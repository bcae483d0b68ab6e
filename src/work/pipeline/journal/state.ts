/** What is known of a run: the fold of its entries. */
import type { z } from 'zod';
import type { governorMarkSchema } from '../../../governance/governor/index.ts';
import type { Json, JsonObject } from '../../../kernel/index.ts';
import type { ArtifactRef } from '../../../schemas/index.ts';
import { type Unit, unitKey, type Worker } from './entries.ts';

export interface StageState {
  /** `open`: started and not ended, by a driver that may be dead. `retrying`: failed, and tried again at `retryAt`. */
  readonly status: 'pending' | 'open' | 'retrying' | 'ok' | 'failed' | 'denied' | 'skipped';
  /** 0 before the first. */
  readonly attempt: number;
  /** Attempts that are known to have failed: one whose outcome nobody knows uses up no retry. */
  readonly failures: number;
  /** The entry that started the last attempt: the parent of its intents. */
  readonly startedEntry: string | undefined;
  readonly startedAt: string | undefined;
  readonly endedAt: string | undefined;
  /** Position of its end among the run's entries: what is undone is undone in the reverse of this order. */
  readonly endedOrder: number;
  /** Milliseconds since the epoch. */
  readonly retryAt: number | undefined;
  readonly durationMs: number | undefined;
  readonly reason: string | undefined;
  readonly artifacts: readonly ArtifactRef[];
  readonly outputs: JsonObject;
  /** Who did it, where that was a worker. */
  readonly worker: Worker | undefined;
  /** The event that its gate waits for, or waited for. `until` in milliseconds since the epoch. */
  readonly awaiting: { readonly event: string; readonly until: number | undefined } | undefined;
}

/** An operator's word to the stages that wait for it. */
export interface Signal {
  readonly name: string;
  readonly data: Json;
  readonly operator: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface RunState {
  readonly run: string;
  /** How many entries the state was folded from. */
  readonly order: number;
  readonly pipeline: string;
  readonly file: string;
  readonly source: string;
  readonly params: JsonObject;
  readonly retryOf: string | undefined;
  readonly operator: string;
  readonly startedAt: string;
  readonly endedAt: string | undefined;
  readonly status: 'running' | 'waiting' | 'ok' | 'failed' | 'cancelled';
  readonly reason: string | undefined;
  /** Why it is being cancelled, if it is. */
  readonly cancelling: string | undefined;
  /** How many approvals it was left waiting for, when it was. */
  readonly approvals: number;
  /** How many drivers the run has had, and the last one. */
  readonly drivers: number;
  readonly driver: z.infer<typeof governorMarkSchema>;
  /** Where its units are done; in its driver's process where there is none. */
  readonly engine: 'bullmq' | undefined;
  /** By `unitKey`. */
  readonly stages: ReadonlyMap<string, StageState>;
  /** What `foreach` and `matrix` gave, by stage. */
  readonly items: ReadonlyMap<string, readonly Json[]>;
  /** In the order in which they came. */
  readonly signals: readonly Signal[];
  /** What entries were about, in their order: whoever keeps up with it need not look at all stages again. */
  readonly touched: readonly Touched[];
}

/** A stage, or one of its items; also by what undid it. */
export interface Touched {
  readonly stage: string;
  readonly item: number | undefined;
}

export const pendingStage: StageState = {
  status: 'pending',
  attempt: 0,
  failures: 0,
  startedEntry: undefined,
  startedAt: undefined,
  endedAt: undefined,
  endedOrder: -1,
  retryAt: undefined,
  durationMs: undefined,
  reason: undefined,
  artifacts: [],
  outputs: {},
  worker: undefined,
  awaiting: undefined,
};

/** Of a run that has not begun. */
export const emptyRun: RunState = {
  ...{ run: '', order: 0, pipeline: '', file: '', source: '', params: {}, retryOf: undefined, operator: '' },
  startedAt: '',
  ...{ endedAt: undefined, status: 'running', reason: undefined, cancelling: undefined, approvals: 0, drivers: 0 },
  driver: { host: '', boot: '', pid: 0, started: '' },
  engine: undefined,
  stages: new Map(),
  items: new Map(),
  signals: [],
  touched: [],
};

/** What is known of one unit. */
export function stateOf({ stages }: RunState, unit: Unit): StageState {
  return stages.get(unitKey(unit)) ?? pendingStage;
}

/** The items of a stage that has them, once they are known; one that was skipped or failed as a whole is one unit. */
export function unitsOf({ stages, items }: RunState, stage: string): readonly Unit[] {
  const own = stages.has(stage) ? undefined : items.get(stage);
  return own ? own.map((_, item) => ({ stage, item })) : [{ stage }];
}
