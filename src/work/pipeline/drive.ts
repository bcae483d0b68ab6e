/** Drives a run to its end, or to the approvals that it must wait for. Kill it anywhere: the next driver goes on. */
import type { Ledger } from '../../governance/ledger/index.ts';
import type { Env } from '../../kernel/index.ts';
import type { Pipeline } from '../../schemas/index.ts';
import { type RunBody, type RunState, readRun, type Unit, unitKey } from './journal/index.ts';
import { isFinal } from './language/index.ts';
import { createPlanner } from './next.ts';
import { expandStage, runUnit, type UnitEnd, type UnitParts } from './unit/index.ts';

export interface DriveParts extends UnitParts {
  onUnit?(unit: Unit, end: UnitEnd | 'started'): void;
}

const lookEveryMs = 1000;

/** `stop` ends what runs, and what was done is undone; `quit` ends that as well. */
export interface Halt {
  readonly stop: AbortSignal;
  readonly quit: AbortSignal;
}

/** The state at the end, or while waiting. Call only as the run's driver. */
export async function drive(parts: DriveParts, pipeline: Pipeline, run: string, halt: Halt): Promise<RunState> {
  const { ledger, env } = parts;
  const working = new Map<string, Promise<void>>();
  const parked = new Map<string, string>();
  const failures: unknown[] = [];
  const [over, cancelled] = [new AbortController(), new AbortController()];
  const next = createPlanner(pipeline);
  using bell = createBell(halt);

  const launch = (key: string, work: Promise<void>): void => {
    const watched = work
      .catch((error: unknown) => void failures.push(error))
      .finally(() => {
        working.delete(key);
        bell.ring();
      });
    working.set(key, watched);
  };
  const begin = async (unit: Unit, state: RunState): Promise<void> => {
    const key = unitKey(unit);
    parts.onUnit?.(unit, 'started');
    // What undoes and ends goes on after a stop.
    const forward = !unit.undo && !isFinal(pipeline, unit.stage);
    const ends = forward ? [halt.stop, cancelled.signal] : [halt.quit];
    const end = await runUnit(parts, { pipeline, unit, state, signal: AbortSignal.any([...ends, over.signal]) });
    if (end.status === 'parked') parked.set(key, end.approval);
    parts.onUnit?.(unit, end);
  };

  let state = readRun(ledger, run);
  for (; ; state = readRun(ledger, run, state)) {
    if (state.endedAt !== undefined) {
      // Somebody has killed it. What runs of it is killed by the same hand; what asks an operator stops asking.
      over.abort();
      await Promise.all(working.values());
      return readRun(ledger, run, state);
    }
    const reason = 'It was stopped.';
    if (failures.length > 0 || halt.quit.aborted) {
      await Promise.all(working.values());
      if (failures.length > 0) throw failures[0];
      return finish(ledger, run, { step: 'ended', status: 'cancelled', reason });
    }
    // By an operator elsewhere: what runs stops here, and what was done is undone.
    if (state.cancelling !== undefined) cancelled.abort();
    if (halt.stop.aborted && state.cancelling === undefined) {
      await ledger.append({ kind: 'run', run, body: { step: 'cancelling', reason } });
      continue;
    }
    const step = next(state, {
      at: env.now(),
      busy: new Set(working.keys()),
      parked: new Set(parked.keys()),
    });
    switch (step.do) {
      case 'park':
        return finish(ledger, run, { step: 'waiting', approvals: [...parked.values()] });
      case 'end': {
        const why = step.reason === undefined ? {} : { reason: step.reason.slice(0, 2000) };
        return finish(ledger, run, { step: 'ended', status: step.status, ...why });
      }
      case 'go':
        for (const stage of step.expand) launch(stage, expandStage(ledger, pipeline, state, stage));
        for (const unit of step.start) launch(unitKey(unit), begin(unit, state));
        break;
      case 'wait':
        // Also to look whether the run was killed: an order may come from any process.
        await bell.rung(env, Math.min(step.until ?? Number.POSITIVE_INFINITY, env.now() + lookEveryMs));
    }
  }
}

interface Bell extends Disposable {
  ring(): void;
  /** Resolves at the next ring, at the time given, or at once where it has rung since. */
  rung(env: Env, until: number): Promise<void>;
}

function createBell({ stop, quit }: Halt): Bell {
  let bell = Promise.withResolvers<void>();
  const ring = (): void => bell.resolve();
  for (const signal of [stop, quit]) signal.addEventListener('abort', ring);
  return {
    ring,
    async rung(env, until) {
      const heard = new AbortController();
      const due = env.sleep(Math.max(0, until - env.now()), heard.signal).catch(() => undefined); // only by the abort below
      await Promise.race([bell.promise, due]);
      heard.abort();
      bell = Promise.withResolvers<void>();
    },
    [Symbol.dispose]() {
      for (const signal of [stop, quit]) signal.removeEventListener('abort', ring);
    },
  };
}

async function finish(ledger: Ledger, run: string, body: RunBody): Promise<RunState> {
  await ledger.append({ kind: 'run', run, body });
  return readRun(ledger, run);
}
