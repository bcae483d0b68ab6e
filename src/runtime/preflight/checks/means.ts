/** Whether a run has what it takes besides programs: its turn, its locks, something to spend, somebody to do the work. */
import { formatAmount, type Kind, nameOf, type Statement } from '../../../governance/budgets/index.ts';
import { formatDuration } from '../../../kernel/index.ts';
import { runOf } from '../../../work/agents/index.ts';
import { wantedLocks } from '../../../work/pipeline/index.ts';
import type { CheckFinding, Look } from '../types.ts';

/** Of what was given: less is told. */
const little = 0.1;

/** A new run begins with the whole of its budget. */
export const checkBudget: Look = async (parts, { outlook, units }) => {
  const { pipeline, resumes, run } = outlook;
  if (run === undefined || !resumes) {
    const whole = Object.keys(pipeline.budget ?? {}).length > 0;
    return [{ status: 'ok', what: whole ? 'A new run has the whole of it.' : 'The run has none.' }];
  }
  // What undoes and ends a run is held back by no budget.
  const left = new Set(units.flatMap(({ unit }) => (unit.undo ? [] : [`stage:${unit.stage}`])));
  const statements = await parts.budgets(run);
  const drawn = statements.filter(({ key }) => key === 'run' || (key !== undefined && left.has(key)));
  const findings = drawn.flatMap(judge);
  return findings.length > 0
    ? findings
    : [{ status: 'ok', what: drawn.length === 0 ? 'The run has none.' : 'There is some left.' }];
};

function judge({ name, limits, left }: Statement): readonly CheckFinding[] {
  const kinds = Object.keys(limits) as Kind[]; // of limits
  return kinds.flatMap((kind): CheckFinding[] => {
    const [given, rest] = [limits[kind] ?? 0, left[kind] ?? 0];
    if (rest > given * little) return [];
    const what = `Of the ${nameOf(kind)} of "${name}" ${formatAmount(kind, rest)} of ${formatAmount(kind, given)} are left.`;
    const fix = 'Cancel the run, and begin another with a larger budget.';
    return [{ status: rest === 0 ? 'failed' : 'warn', what, fix }];
  });
}

/** Workers say that they are there every few seconds. */
const silentMs = 10_000;

/** A run waits for workers, so that none fails it. */
export const checkWorkers: Look = async (parts, { outlook: { engine } }) => {
  if (engine !== 'bullmq') return [{ status: 'ok', what: 'The stages are done in this process.' }];
  const all = await parts.workers();
  const there = all.filter((worker) => worker.silentMs < silentMs);
  const free = there.filter(({ order }) => order === 'go');
  if (free.length > 0) return [{ status: 'ok', what: `${free.map(({ name }) => name).join(', ')}: there.` }];
  if (there.length > 0) {
    const what = `Each worker that is there was told to take nothing: ${there.map(({ name }) => name).join(', ')}.`;
    return [{ status: 'warn', what, fix: 'agov worker resume --all, or start another: agov worker' }];
  }
  const last = Math.min(...all.map((worker) => worker.silentMs));
  const heard = all.length === 0 ? '' : ` The last was heard of ${formatDuration(last)} ago.`;
  const what = `No worker is there: the run waits until one comes.${heard}`;
  return [{ status: 'warn', what, fix: 'Start one, on any host: agov worker' }];
};

/** What is held is waited for: only a group that does not wait refuses. */
export const checkLocks: Look = async (parts, { outlook }) => {
  const wanted = wantedLocks(outlook);
  const held = await Promise.all(
    wanted.map(async ({ unit, name, stored }): Promise<CheckFinding | undefined> => {
      const owner = await parts.lockHolder(stored);
      if (owner === undefined) return undefined;
      const by = runOf(owner) === undefined ? owner : `run ${runOf(owner)}`;
      if (unit === undefined) return groupHeld(name, by, outlook.pipeline.concurrency?.busy);
      const what = `Stage "${unit}" waits for the lock "${name}", which ${by} holds.`;
      return { status: 'warn', what, fix: 'Nothing, or see who it is: agov pipeline list' };
    }),
  );
  const findings = held.filter((finding) => finding !== undefined);
  if (findings.length > 0) return findings;
  return [{ status: 'ok', what: wanted.length === 0 ? 'None is wanted.' : `${wanted.length} wanted, and free.` }];
};

function groupHeld(group: string, by: string, busy: 'wait' | 'cancel' | 'refuse' = 'wait'): CheckFinding {
  const what = `The group "${group}" is at ${by}.`;
  if (busy === 'refuse') return { status: 'failed', what, fix: 'Wait for it, or cancel it: agov pipeline cancel RUN' };
  const then = busy === 'cancel' ? 'That run is cancelled, and undoes what it did.' : 'This one waits its turn.';
  return { status: 'warn', what, why: then };
}
