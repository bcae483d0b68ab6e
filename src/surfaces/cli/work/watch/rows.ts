/** A run as rows, stages by level: what each is at, and what of it a person must know. Nothing here prints. */
import type { Pipeline } from '../../../../schemas/index.ts';
import {
  isMany,
  levelsOf,
  pendingStage,
  type RunWatch,
  type StageState,
  stateOf,
  type Unit,
  unitKey,
  unitsOf,
} from '../../../../work/pipeline/index.ts';

export type Phase = 'done' | 'skipped' | 'failed' | 'active' | 'waits' | 'pending';

export interface Row {
  /** `1` for the first stage of a level, `F1` among the final ones; empty for its others. */
  readonly step: string;
  readonly name: string;
  readonly agent: string;
  readonly phase: Phase;
  /** It undoes the stage of that name. */
  readonly undo: boolean;
  readonly attempt: number;
  /** Milliseconds: how long it took, or how long it has been at it. */
  readonly ms: number | undefined;
  readonly worker: string | undefined;
  readonly items: Counts | undefined;
  /** One line below it: why it failed, or what it waits for. */
  readonly detail: string | undefined;
}

export interface Counts {
  readonly all: number;
  readonly done: number;
  readonly failed: number;
  readonly active: number;
}

export interface View {
  readonly watch: RunWatch;
  readonly pipeline: Pipeline;
  /** Approvals that nobody has answered yet. */
  readonly open: ReadonlySet<string>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function rowsOf(view: View): readonly Row[] {
  const { pipeline } = view;
  return [...section(view, pipeline.stages, ''), ...section(view, pipeline.finally, 'F')];
}

function section(view: View, stages: Pipeline['stages'], mark: string): readonly Row[] {
  return levelsOf(stages).flatMap((names, level) =>
    names.flatMap((name, i) => rowsOfStage(view, stages, name, i === 0 ? `${mark}${level + 1}` : '')),
  );
}

function rowsOfStage(view: View, stages: Pipeline['stages'], name: string, step: string): readonly Row[] {
  const { state } = view.watch;
  const stage = stages[name];
  const agent = stage?.agent ?? '';
  const units = unitsOf(state, name);
  const forward = rowOf(view, { name, agent, step, undo: false }, units, stage !== undefined && isMany(stage));
  const undone = units.map((unit): Unit => ({ ...unit, undo: true })).filter((unit) => state.stages.has(unitKey(unit)));
  if (undone.length === 0) return [forward];
  return [forward, rowOf(view, { name, agent, step: '', undo: true }, undone, undone.length > 1)];
}

type Head = Pick<Row, 'name' | 'agent' | 'step' | 'undo'>;

function rowOf(view: View, head: Head, units: readonly Unit[], many: boolean): Row {
  const states = units.map((unit) => stateOf(view.watch.state, unit));
  const phases = units.map((unit, i) => phaseOf(view, unit, states[i] ?? pendingStage));
  const phase = worst(phases, view.watch.state.endedAt !== undefined);
  const at = Math.max(0, phases.indexOf(phase));
  const [unit, state] = [units[at], states[at] ?? pendingStage];
  const known = many && (view.watch.state.items.has(head.name) || units.length > 1);
  return {
    ...head,
    phase,
    attempt: state.attempt,
    ms: spent(states, view.now),
    worker: state.worker?.name,
    items: known ? counts(phases) : undefined,
    detail: unit && detailOf(view, unit, state, phase),
  };
}

function phaseOf({ watch, open }: View, unit: Unit, { status }: StageState): Phase {
  switch (status) {
    case 'ok':
      return 'done';
    case 'skipped':
      return 'skipped';
    case 'failed':
    case 'denied':
      return 'failed';
    case 'retrying':
      return 'waits';
    case 'open': {
      const approval = watch.asked.get(unitKey(unit));
      return approval !== undefined && (open.has(approval) || watch.state.status === 'waiting') ? 'waits' : 'active';
    }
    case 'pending':
      return 'pending';
  }
}

/** What a person must see first, of several items. */
function worst(phases: readonly Phase[], over: boolean): Phase {
  const order: readonly Phase[] = ['failed', 'waits', 'active'];
  const found = order.find((phase) => phases.includes(phase));
  if (found) return found;
  if (phases.includes('pending')) return phases.includes('done') && !over ? 'active' : 'pending';
  return phases.includes('done') ? 'done' : (phases[0] ?? 'done');
}

function counts(phases: readonly Phase[]): Counts {
  const of = (...wanted: readonly Phase[]): number => phases.filter((phase) => wanted.includes(phase)).length;
  return { all: phases.length, done: of('done', 'skipped'), failed: of('failed'), active: of('active', 'waits') };
}

/** From the first start to the last end, or until now. */
function spent(states: readonly StageState[], now: number): number | undefined {
  const begun = states.flatMap(({ startedAt }) => (startedAt === undefined ? [] : [Date.parse(startedAt)]));
  if (begun.length === 0) return undefined;
  const running = states.some(({ status }) => status === 'open');
  const ends = states.flatMap(({ endedAt }) => (endedAt === undefined ? [] : [Date.parse(endedAt)]));
  // Clocks of two hosts may differ, and a time below nothing says nothing.
  return Math.max(0, (running ? now : Math.max(...ends)) - Math.min(...begun));
}

function detailOf({ watch, open, now }: View, unit: Unit, state: StageState, phase: Phase): string | undefined {
  if (phase === 'failed') return `${unit.item === undefined ? '' : `[${unit.item}] `}${state.reason ?? ''}`;
  if (phase !== 'waits') return undefined;
  if (state.status === 'retrying') {
    const left = Math.max(0, Math.ceil(((state.retryAt ?? now) - now) / 1000));
    return `again in ${left} s: ${state.reason ?? 'it failed'}`;
  }
  const approval = watch.asked.get(unitKey(unit)) ?? '';
  // The end of an id is enough, and fits.
  return open.has(approval) ? `agov approve ${approval.slice(-12)}` : 'it is answered, and the run goes on by resume';
}
