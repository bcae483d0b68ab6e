/** Keeps up with a run from outside, whoever drives it: what was written since the last look, one change an entry. */
import { everyEntry, type Ledger } from '../../../governance/ledger/index.ts';
import { AgovError } from '../../../kernel/index.ts';
import type { Entry } from '../../../schemas/index.ts';
import { stageBodySchema, unitKey } from './entries.ts';
import { createFold, runKinds } from './fold.ts';
import { pendingStage, type RunState, type StageState } from './state.ts';

export interface RunChange {
  /** Position and time of the entry behind it. */
  readonly seq: number;
  readonly at: string;
  /** By `unitKey`; the run itself where there is none. */
  readonly unit?: string;
  readonly status: StageState['status'] | RunState['status'] | 'expanded' | 'asks';
  readonly attempt?: number;
  readonly reason?: string;
  readonly durationMs?: number;
  readonly worker?: string;
  /** How many items a stage has. */
  readonly items?: number;
  /** The approval that a unit waits for. */
  readonly approval?: string;
}

export interface RunWatch {
  /** As of the last look: it moves on with the next. */
  readonly state: RunState;
  /** Units that have asked and not gone on since, by `unitKey`: which approval they asked for. */
  readonly asked: ReadonlyMap<string, string>;
  look(): readonly RunChange[];
}

/** @throws NOT_FOUND */
export function watchRun(ledger: Pick<Ledger, 'query'>, run: string): RunWatch {
  const fold = createFold(run);
  const asked = new Map<string, string>();
  const begun = new Map<string, string>();
  let seq = -1;

  const look = (): readonly RunChange[] => {
    const changes: RunChange[] = [];
    for (const entry of everyEntry(ledger, { kinds: [...runKinds, 'intent'], run, after: seq })) {
      seq = entry.seq;
      const change = entry.kind === 'intent' ? question(entry) : folded(entry);
      if (change) changes.push({ seq, at: entry.at, ...change });
    }
    return changes;
  };

  type Told = Omit<RunChange, 'seq' | 'at'>;

  /** What asks is the one intent of an attempt, or one below it. */
  function question({ parent = '', body }: Entry): Told | undefined {
    const unit = begun.get(parent);
    const { verdict } = body['decision'] as { verdict: string }; // written by the governor alone
    const approval = body['approval'];
    if (unit === undefined) return undefined;
    if (verdict !== 'ask' || typeof approval !== 'string') {
      asked.delete(unit);
      return undefined;
    }
    asked.set(unit, approval);
    return { unit, status: 'asks', approval };
  }

  function folded(entry: Entry): Told | undefined {
    const before = fold.state;
    fold.add(entry);
    if (entry.kind !== 'stage') {
      const { status, reason, endedAt } = fold.state;
      // A kill tells each of its steps, and the run has ended by the first.
      if (before.endedAt !== undefined && endedAt !== undefined) return undefined;
      return { status, ...(reason === undefined ? {} : { reason }) };
    }
    const body = stageBodySchema.parse(entry.body);
    if (body.step === 'expanded') return { unit: body.stage, status: 'expanded', items: body.items.length };
    const unit = unitKey(body);
    const state = fold.state.stages.get(unit) ?? pendingStage;
    asked.delete(unit);
    if (body.step === 'started') begun.set(entry.id, unit);
    else if (state.startedEntry !== undefined) begun.delete(state.startedEntry);
    const { status, attempt, reason, durationMs, worker } = state;
    return {
      ...{ unit, status, attempt },
      ...(reason === undefined ? {} : { reason }),
      ...(durationMs === undefined ? {} : { durationMs }),
      ...(worker === undefined ? {} : { worker: worker.name }),
    };
  }

  const first = look();
  if (fold.state.run !== run) {
    throw new AgovError('NOT_FOUND', { what: `There is no pipeline run ${run}.`, fix: 'See "agov pipeline list".' });
  }
  let pending: readonly RunChange[] | undefined = first;
  return {
    asked,
    get state() {
      return fold.state;
    },
    look() {
      const earlier = pending ?? [];
      pending = undefined;
      return [...earlier, ...look()];
    },
  };
}
