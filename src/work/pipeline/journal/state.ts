/** A run is its entries in the ledger, and its state is their fold: there is nothing else to fall out of step with. */
import type { z } from 'zod';
import type { governorMarkSchema } from '../../../governance/governor/index.ts';
import { everyEntry, type Ledger } from '../../../governance/ledger/index.ts';
import { AgovError, type Json, type JsonObject } from '../../../kernel/index.ts';
import type { ArtifactRef, Entry } from '../../../schemas/index.ts';
import { killSchema, runBodySchema, stageBodySchema, type Unit, unitKey } from './entries.ts';

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
  /** Position of the entry that ended it: what is undone is undone in the reverse of this order. */
  readonly endedSeq: number;
  /** Milliseconds since the epoch. */
  readonly retryAt: number | undefined;
  readonly durationMs: number | undefined;
  readonly reason: string | undefined;
  readonly artifacts: readonly ArtifactRef[];
  readonly outputs: JsonObject;
}

export interface RunState {
  readonly run: string;
  /** Position of the last entry that the state knows. */
  readonly seq: number;
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
  /** How many drivers the run has had, and the last one. */
  readonly drivers: number;
  readonly driver: z.infer<typeof governorMarkSchema>;
  /** By `unitKey`. */
  readonly stages: ReadonlyMap<string, StageState>;
  /** What `foreach` and `matrix` gave, by stage. */
  readonly items: ReadonlyMap<string, readonly Json[]>;
}

export const pendingStage: StageState = {
  status: 'pending',
  attempt: 0,
  failures: 0,
  startedEntry: undefined,
  startedAt: undefined,
  endedAt: undefined,
  endedSeq: -1,
  retryAt: undefined,
  durationMs: undefined,
  reason: undefined,
  artifacts: [],
  outputs: {},
};

/** Of a run that has not begun. */
export const emptyRun: RunState = {
  ...{ run: '', seq: -1, pipeline: '', file: '', source: '', params: {}, retryOf: undefined, operator: '' },
  startedAt: '',
  ...{ endedAt: undefined, status: 'running', reason: undefined, cancelling: undefined, drivers: 0 },
  driver: { host: '', boot: '', pid: 0, started: '' },
  stages: new Map(),
  items: new Map(),
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

/**
 * The run's state by all its entries, or by those since `known`, an earlier state of the same run, which stays as it is.
 * @throws NOT_FOUND
 */
export function readRun(ledger: Ledger, run: string, known?: RunState): RunState {
  let state: Draft | undefined = known && { ...known, stages: new Map(known.stages), items: new Map(known.items) };
  for (const entry of everyEntry(ledger, { kinds: ['run', 'stage', 'kill'], run, after: known?.seq ?? -1 })) {
    if (entry.kind === 'run') state = advanceRun(state, entry);
    else if (state && entry.kind === 'kill') state = killRun(state, entry);
    else if (state) advanceStage(state, entry);
    if (state) state.seq = entry.seq;
  }
  if (state) return state;
  throw new AgovError('NOT_FOUND', { what: `There is no pipeline run ${run}.`, fix: 'See "agov pipeline list".' });
}

interface Draft extends Omit<RunState, 'seq' | 'stages' | 'items'> {
  seq: number;
  readonly stages: Map<string, StageState>;
  readonly items: Map<string, readonly Json[]>;
}

function advanceRun(state: Draft | undefined, entry: Entry): Draft | undefined {
  const body = runBodySchema.parse(entry.body);
  if (body.step === 'started') {
    const { pipeline, file, source, params, retryOf, operator, driver } = body;
    return {
      run: entry.run ?? entry.id,
      seq: entry.seq,
      ...{ pipeline, file, source, params, retryOf, operator, driver },
      startedAt: entry.at,
      endedAt: undefined,
      status: 'running',
      reason: undefined,
      cancelling: undefined,
      drivers: 1,
      stages: new Map(),
      items: new Map(),
    };
  }
  if (!state || state.endedAt !== undefined) return state;
  switch (body.step) {
    case 'resumed':
      return { ...state, status: 'running', drivers: state.drivers + 1, driver: body.driver };
    case 'waiting':
      return { ...state, status: 'waiting' };
    case 'cancelling':
      return { ...state, cancelling: state.cancelling ?? body.reason };
    case 'ended':
      return { ...state, status: body.status, reason: body.reason, endedAt: entry.at };
  }
}

function killRun(state: Draft, { body, at }: Entry): Draft {
  const order = killSchema.safeParse(body).data;
  if (!order || state.endedAt !== undefined) return state;
  return { ...state, status: 'cancelled', reason: `Killed by ${order.operator}: ${order.reason}`, endedAt: at };
}

function advanceStage({ stages, items }: Draft, entry: Entry): void {
  const body = stageBodySchema.parse(entry.body);
  if (body.step === 'expanded') {
    items.set(body.stage, body.items as readonly Json[]);
    return;
  }
  const key = unitKey(body);
  const before = stages.get(key) ?? pendingStage;
  const ended = { endedAt: entry.at, endedSeq: entry.seq };
  switch (body.step) {
    case 'started': {
      const { attempt } = body;
      const { failures } = before;
      stages.set(key, {
        ...pendingStage,
        ...{ status: 'open', attempt, failures, startedEntry: entry.id, startedAt: entry.at },
      });
      return;
    }
    case 'reused': {
      const reason = `Done by run ${body.from}.`;
      stages.set(key, { ...before, ...ended, status: 'ok', outputs: body.outputs, reason });
      return;
    }
    case 'skipped':
      stages.set(key, { ...before, ...ended, status: 'skipped', reason: body.reason });
      return;
    case 'ended': {
      const { status, reason, durationMs, outputs, retryAt } = body;
      const again =
        retryAt === undefined ? { status } : ({ status: 'retrying', retryAt: Date.parse(retryAt) } as const);
      const failures = before.failures + (status === 'failed' ? 1 : 0);
      const kept = { failures, reason, durationMs, outputs, artifacts: entry.artifacts ?? [] };
      stages.set(key, { ...before, ...ended, ...kept, ...again });
    }
  }
}
