/** Drives a run to its end, or to the approvals and events that it must wait for. Kill it anywhere: the next driver goes on. */
import type { Env } from '../../../kernel/index.ts';
import type { Pipeline } from '../../../schemas/index.ts';
import { openJournal, type RunBody, type RunState, readRun, type Unit, unitKey } from '../journal/index.ts';
import { isFinal } from '../language/index.ts';
import { createPlanner, createWaits } from '../planner/index.ts';
import { expandStage, runUnit, type UnitEnd, type UnitParts } from '../unit/index.ts';

export interface DriveParts extends UnitParts {
  onUnit?(unit: Unit, end: UnitEnd | 'started'): void;
}

/** How soon an order from another process is seen: while stages come and go, and while nothing happens here. */
const lookEveryMs = 100;
const lookIdlyEveryMs = 1000;

/** `stop` ends what runs, and what was done is undone; `quit` ends that as well. */
export interface Halt {
  readonly stop: AbortSignal;
  readonly quit: AbortSignal;
  /** What lets it drive is no longer there: what runs is stopped, and the run is left for whoever resumes it. */
  readonly lost?: AbortSignal;
}

/** The state at the end, or while waiting. Call only as the run's driver. */
export async function drive(parts: DriveParts, pipeline: Pipeline, run: string, halt: Halt): Promise<RunState> {
  const { ledger, env } = parts;
  const journal = openJournal(parts, run);
  const working = new Map<string, Promise<void>>();
  const waits = createWaits(env);
  const failures: unknown[] = [];
  const [over, cancelled] = [new AbortController(), new AbortController()];
  const next = createPlanner(pipeline);
  using bell = createBell(halt);
  let lookAt = 0;
  let told: Promise<unknown> = Promise.resolve();

  const fail = (error: unknown): void => {
    failures.push(error);
    bell.ring();
  };
  // Nothing is told before it is on record, nor before what came earlier; what comes next need not wait for that.
  const tell = (unit: Unit, end: UnitEnd | 'started', recorded: Promise<void> = Promise.resolve()): void => {
    told = Promise.all([told, recorded])
      .then(() => parts.onUnit?.(unit, end))
      .catch(fail);
  };
  const lost = halt.lost ? [halt.lost] : [];
  for (const signal of lost) {
    if (signal.aborted) throw signal.reason;
    signal.addEventListener('abort', () => fail(signal.reason), { once: true });
  }
  const begin = async (unit: Unit): Promise<void> => {
    const key = unitKey(unit);
    const known = journal.state.signals.length;
    const again = waits.begin(key);
    if (!again) tell(unit, 'started');
    // What undoes and ends goes on after a stop.
    const forward = !unit.undo && !isFinal(pipeline, unit.stage);
    const ends = forward ? [halt.stop, cancelled.signal] : [halt.quit];
    const signal = AbortSignal.any([...ends, ...lost, over.signal]);
    const { end, recorded } = await runUnit(parts, { pipeline, unit, journal, state: journal.state, signal, lost });
    if (waits.note(key, end, known)) tell(unit, end, recorded);
    else recorded.catch(fail);
  };
  const launch = (unit: Unit): void => {
    const key = unitKey(unit);
    const work = begin(unit)
      .catch(fail)
      .finally(() => {
        working.delete(key);
        bell.ring();
      });
    working.set(key, work);
  };
  const finish = async (body: RunBody): Promise<RunState> => {
    journal.writeRun(body);
    await Promise.all([journal.settled(), told]);
    return readRun(ledger, run);
  };

  for (;;) {
    // Somebody who kills it takes its locks as well: what failed then failed by that.
    if (failures.length > 0 || env.monotonic() >= lookAt) {
      journal.catchUp();
      lookAt = env.monotonic() + lookEveryMs;
    }
    const { state } = journal;
    if (state.endedAt !== undefined) {
      // Somebody has killed it. What runs of it is killed by the same hand; what asks an operator stops asking.
      over.abort();
      await Promise.all(working.values());
      return readRun(ledger, run);
    }
    const reason = 'It was stopped.';
    if (failures.length > 0 || halt.quit.aborted) {
      await Promise.all(working.values());
      if (failures.length > 0) throw failures[0];
      return finish({ step: 'ended', status: 'cancelled', reason });
    }
    // By an operator elsewhere: what runs stops here, and what was done is undone.
    if (state.cancelling !== undefined) cancelled.abort();
    if (halt.stop.aborted && state.cancelling === undefined) {
      journal.writeRun({ step: 'cancelling', reason });
      continue;
    }
    const busy = new Set(working.keys());
    const step = next(state, { at: env.now(), busy, ...waits.now(state.signals.length) });
    switch (step.do) {
      case 'park':
      case 'end':
        await journal.settled();
        // What others wrote meanwhile may change it.
        if (journal.catchUp() || failures.length > 0) continue;
        if (step.do === 'park') return finish({ step: 'waiting', ...waits.waitedFor() });
        return finish({
          ...{ step: 'ended', status: step.status },
          ...(step.reason === undefined ? {} : { reason: step.reason.slice(0, 2000) }),
        });
      case 'go':
        for (const stage of step.expand) expandStage(journal, pipeline, stage);
        for (const unit of step.start) launch(unit);
        break;
      case 'wait':
        // Also to look whether the run was killed: an order may come from any process.
        await bell.rung(env, Math.min(step.until ?? Number.POSITIVE_INFINITY, env.now() + lookIdlyEveryMs));
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
      // With a reason, since to make one up takes longer than all else here.
      heard.abort('rung');
      bell = Promise.withResolvers<void>();
    },
    [Symbol.dispose]() {
      for (const signal of [stop, quit]) signal.removeEventListener('abort', ring);
    },
  };
}
