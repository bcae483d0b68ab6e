/** Drives a run to its end, or to the approvals that it must wait for. Kill it anywhere: the next driver goes on. */
import type { Artifacts } from '../../governance/evidence/index.ts';
import { governorMark, mayLive } from '../../governance/governor/index.ts';
import type { Ledger } from '../../governance/ledger/index.ts';
import { AgovError, type Env, type IdSource, isAgovError } from '../../kernel/index.ts';
import type { Pipeline } from '../../schemas/index.ts';
import type { OperatorAct } from '../agents/index.ts';
import { next, pendingStage, type RunBody, type RunState, readRun } from './journal.ts';
import { runStage, type StageEnd, type StageParts } from './stage.ts';

export interface DriveParts extends StageParts {
  readonly ids: IdSource;
  readonly parallel: number;
  onStage?(stage: string, end: StageEnd | 'started'): void;
}

const lookEveryMs = 1000;

/** Starts a run of the pipeline whose text is `source`. Returns its id; nothing has been done yet. */
export async function startRun(
  { ledger, artifacts, ids }: { readonly ledger: Ledger; readonly artifacts: Artifacts; readonly ids: IdSource },
  pipeline: Pipeline,
  source: { readonly text: string; readonly file: string },
  by: OperatorAct,
): Promise<string> {
  const run = ids();
  const kept = await artifacts.put('pipeline.yaml', source.text);
  const body: RunBody = {
    step: 'started',
    pipeline: pipeline.name,
    file: source.file,
    source: kept.sha256,
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

/** The state at the end, or while waiting. Call only as the run's driver. */
export async function drive(
  parts: DriveParts,
  pipeline: Pipeline,
  run: string,
  signal: AbortSignal,
): Promise<RunState> {
  const working = new Map<string, Promise<void>>();
  const parked = new Map<string, string>();
  const failures: unknown[] = [];
  const over = new AbortController();

  const launch = (name: string, state: RunState): void => {
    const stage = pipeline.stages[name];
    if (!stage) throw new AgovError('INTERNAL', { what: `Stage "${name}" is not in the pipeline.` });
    parts.onStage?.(name, 'started');
    const before = state.stages.get(name) ?? pendingStage;
    const job = { run, name, stage, before, signal: AbortSignal.any([signal, over.signal]) };
    const work = runStage(parts, job).then(
      (end) => {
        if (end.status === 'parked') parked.set(name, end.approval);
        parts.onStage?.(name, end);
      },
      (error: unknown) => void failures.push(error),
    );
    working.set(
      name,
      work.finally(() => working.delete(name)),
    );
  };

  let state = readRun(parts.ledger, run);
  for (; ; state = readRun(parts.ledger, run, state)) {
    if (state.endedAt !== undefined) {
      // Somebody has killed it. What runs of it is killed by the same hand; what asks an operator stops asking.
      over.abort();
      await Promise.all(working.values());
      return readRun(parts.ledger, run, state);
    }
    if (failures.length > 0 || signal.aborted) {
      await Promise.all(working.values());
      if (failures.length > 0) throw failures[0];
      return finish(parts.ledger, run, { step: 'ended', status: 'cancelled', reason: 'It was stopped.' });
    }
    const step = next(pipeline, state, new Set(working.keys()), new Set(parked.keys()));
    if (step.do === 'park') return finish(parts.ledger, run, { step: 'waiting', approvals: [...parked.values()] });
    if (step.do === 'end') {
      const reason = step.reason === undefined ? {} : { reason: step.reason.slice(0, 2000) };
      return finish(parts.ledger, run, { step: 'ended', status: step.status, ...reason });
    }
    if (step.do === 'start')
      for (const name of step.stages.slice(0, parts.parallel - working.size)) launch(name, state);
    await change(parts.env, working.values());
  }
}

/** Resolves when one of them ends, or when it is time to look whether the run was killed. */
async function change(env: Env, working: Iterable<Promise<void>>): Promise<void> {
  const looked = new AbortController();
  const look = env.sleep(lookEveryMs, looked.signal).catch(() => undefined); // only the abort below rejects it
  await Promise.race([...working, look]);
  looked.abort();
}

async function finish(ledger: Ledger, run: string, body: RunBody): Promise<RunState> {
  await ledger.append({ kind: 'run', run, body });
  return readRun(ledger, run);
}
