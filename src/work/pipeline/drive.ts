/** Drives a run to its end, or to the approvals that it must wait for. Kill it anywhere: the next driver goes on. */
import type { Artifacts } from '../../governance/evidence/index.ts';
import { governorMark, mayLive } from '../../governance/governor/index.ts';
import type { Ledger } from '../../governance/ledger/index.ts';
import { AgovError, type Env, type IdSource, isAgovError } from '../../kernel/index.ts';
import type { Pipeline } from '../../schemas/index.ts';
import type { OperatorAct } from '../agents/index.ts';
import { type RunBody, type RunState, readRun, type Unit, unitKey } from './journal/index.ts';
import { isFinal, type Parameters } from './language/index.ts';
import { createPlanner } from './next.ts';
import { expandStage, runUnit, type UnitEnd, type UnitParts } from './unit/index.ts';

export interface DriveParts extends UnitParts {
  onUnit?(unit: Unit, end: UnitEnd | 'started'): void;
}

const lookEveryMs = 1000;

/** Starts a run of the pipeline whose text is `source`. Returns its id; nothing has been done yet. */
export async function startRun(
  { ledger, artifacts, ids }: { readonly ledger: Ledger; readonly artifacts: Artifacts; readonly ids: IdSource },
  pipeline: Pipeline,
  source: { readonly text: string; readonly file: string; readonly params: Parameters },
  by: OperatorAct,
): Promise<string> {
  const run = ids();
  const kept = await artifacts.put('pipeline.yaml', source.text);
  const body: RunBody = {
    step: 'started',
    pipeline: pipeline.name,
    file: source.file,
    source: kept.sha256,
    params: { ...source.params },
    ...by,
    driver: governorMark(),
  };
  await ledger.append({ kind: 'run', id: run, run, body, artifacts: [kept] });
  return run;
}

/**
 * Takes over a run whose driver is gone. Of two that try, one gets it.
 * @throws RUN_BUSY while the driver lives, CONFLICT when the run has ended
 */
export async function resumeRun(ledger: Ledger, run: string, by: OperatorAct): Promise<RunState> {
  const state = readRun(ledger, run);
  if (state.endedAt) {
    throw new AgovError('CONFLICT', {
      what: `Run ${run} has ended (${state.status}).`,
      ...(state.reason === undefined ? {} : { why: state.reason }),
      fix: `Start a new one: agov pipeline run ${state.file}`,
    });
  }
  if (state.status !== 'waiting' && mayLive(state.driver)) throw busy(run, state.driver.pid);
  const body: RunBody = { step: 'resumed', ...by, driver: governorMark() };
  try {
    await ledger.append({ kind: 'run', run, body, claim: `run:${run}:driver:${state.drivers + 1}` });
  } catch (error) {
    if (isAgovError(error, 'LEDGER_CLAIMED')) throw busy(run, undefined);
    throw error;
  }
  return readRun(ledger, run);
}

function busy(run: string, pid: number | undefined): AgovError {
  return new AgovError('RUN_BUSY', {
    what: `Run ${run} is driven by another process${pid === undefined ? '' : ` (${pid})`}.`,
    fix: 'Wait for it, or stop it first.',
  });
}

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
  const over = new AbortController();
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
    const end = await runUnit(parts, {
      pipeline,
      unit,
      state,
      signal: AbortSignal.any([forward ? halt.stop : halt.quit, over.signal]),
    });
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
