/** A run is its entries in the ledger, and its state is their fold: there is nothing else to fall out of step with. */
import { everyEntry, type Ledger } from '../../../governance/ledger/index.ts';
import { AgovError, type Json } from '../../../kernel/index.ts';
import type { Entry } from '../../../schemas/index.ts';
import { killSchema, type RunBody, runBodySchema, type StageBody, stageBodySchema, unitKey } from './entries.ts';
import { emptyRun, pendingStage, type RunState, type Signal, type StageState, type Touched } from './state.ts';

/** @throws NOT_FOUND */
export function readRun(ledger: Ledger, run: string): RunState {
  const fold = createFold(run);
  for (const entry of everyEntry(ledger, { kinds: runKinds, run })) fold.add(entry);
  if (fold.state.run === run) return fold.state;
  throw new AgovError('NOT_FOUND', { what: `There is no pipeline run ${run}.`, fix: 'See "agov pipeline list".' });
}

/** Entries of these kinds make up a run. */
export const runKinds: readonly ['run', 'stage', 'kill'] = ['run', 'stage', 'kill'];

/** What the fold reads of an entry; one that is being written has no number yet. */
export type Folded = Pick<Entry, 'id' | 'at' | 'kind' | 'body' | 'artifacts'>;

export interface Fold {
  /** As of the entries added so far: it moves on with them. `emptyRun` before the first. */
  readonly state: RunState;
  add(entry: Folded): void;
}

interface Draft extends Omit<RunState, 'stages' | 'items' | 'touched'> {
  readonly stages: Map<string, StageState>;
  readonly items: Map<string, readonly Json[]>;
  readonly touched: Touched[];
}

export function createFold(run: string): Fold {
  let state: Draft = { ...emptyRun, stages: new Map(), items: new Map(), touched: [] };
  return {
    get state() {
      return state;
    },
    add(entry) {
      const order = state.order + 1;
      if (entry.kind === 'run') state = { ...foldRun(state, run, runBodySchema.parse(entry.body), entry), order };
      else if (state.run === '') return;
      else if (entry.kind === 'kill') state = { ...foldKill(state, entry), order };
      else foldStage(state, stageBodySchema.parse(entry.body), entry);
      if (entry.kind === 'stage') state = { ...state, order };
    },
  };
}

function foldRun(state: Draft, run: string, body: RunBody, { at }: Folded): Draft {
  if (body.step === 'started') {
    const { pipeline, file, source, params, retryOf, operator, driver, engine } = body;
    const begun = { run, pipeline, file, source, params, retryOf, operator, driver, engine, startedAt: at, drivers: 1 };
    return { ...state, ...begun, status: 'running' };
  }
  if (state.run === '' || state.endedAt !== undefined) return state;
  switch (body.step) {
    case 'resumed':
      return { ...state, status: 'running', drivers: state.drivers + 1, driver: body.driver };
    case 'waiting':
      return { ...state, status: 'waiting', approvals: body.approvals.length };
    case 'signalled': {
      const { name, data, operator } = body;
      const signal: Signal = { name, data: data as Json, operator, at: Date.parse(at) };
      return { ...state, signals: [...state.signals, signal] };
    }
    case 'cancelling':
      return { ...state, cancelling: state.cancelling ?? body.reason };
    case 'ended':
      return { ...state, status: body.status, reason: body.reason, endedAt: at };
  }
}

function foldKill(state: Draft, { body, at }: Folded): Draft {
  const order = killSchema.safeParse(body).data;
  if (!order || state.endedAt !== undefined) return state;
  return { ...state, status: 'cancelled', reason: `Killed by ${order.operator}: ${order.reason}`, endedAt: at };
}

function foldStage({ stages, items, touched, order }: Draft, body: StageBody, entry: Folded): void {
  touched.push({ stage: body.stage, item: 'item' in body ? body.item : undefined });
  if (body.step === 'expanded') {
    items.set(body.stage, body.items as readonly Json[]);
    return;
  }
  const key = unitKey(body);
  const before = stages.get(key) ?? pendingStage;
  const ended = { endedAt: entry.at, endedOrder: order };
  switch (body.step) {
    case 'awaiting': {
      const until = body.until === undefined ? undefined : Date.parse(body.until);
      stages.set(key, { ...before, awaiting: { event: body.event, until } });
      return;
    }
    case 'locked':
      return; // for whoever reads the record: nothing rests on it
    case 'started': {
      const { attempt } = body;
      const { failures, awaiting } = before;
      const begun = {
        status: 'open',
        attempt,
        failures,
        awaiting,
        startedEntry: entry.id,
        startedAt: entry.at,
      } as const;
      stages.set(key, { ...pendingStage, ...begun });
      return;
    }
    case 'reused': {
      const reason = `Done by run ${body.from}.`;
      const { artifacts = [] } = entry;
      stages.set(key, { ...before, ...ended, status: 'ok', outputs: body.outputs, artifacts, reason });
      return;
    }
    case 'skipped':
      stages.set(key, { ...before, ...ended, status: 'skipped', reason: body.reason });
      return;
    case 'ended': {
      const { status, reason, durationMs, outputs, retryAt, worker } = body;
      const again =
        retryAt === undefined ? { status } : ({ status: 'retrying', retryAt: Date.parse(retryAt) } as const);
      const failures = before.failures + (status === 'failed' ? 1 : 0);
      const kept = { failures, reason, durationMs, outputs, worker, artifacts: entry.artifacts ?? [] };
      stages.set(key, { ...before, ...ended, ...kept, ...again });
    }
  }
}
