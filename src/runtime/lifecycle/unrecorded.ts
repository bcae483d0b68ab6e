/**
 * When the ledger does not take an order. While it is away nothing new can be allowed to anybody, but what runs would go
 * on: it is stopped all the same, and nobody is told that more has been done than that.
 */
import { AgovError, isAgovError } from '../../kernel/index.ts';
import { carryOut } from './steps/carry-out.ts';
import type { Deed, KillParts, StepName, Subject, Why } from './types.ts';

/** Of what is to be stopped: agents, or one run. */
export type Stopped = Pick<Subject, 'agent' | 'run'>;

const wants: ReadonlySet<StepName> = new Set(['announce', 'processes']);

/** @throws AgovError what `error` is, with what was done about it; `error` itself where the ledger is not its cause */
export async function stopUnrecorded(
  parts: KillParts,
  deed: Deed,
  stopped: readonly Stopped[],
  why: Why,
  error: unknown,
): Promise<never> {
  if (deed === 'thaw' || !isAgovError(error, 'LEDGER_UNAVAILABLE', 'DISK_FULL', 'NOT_WRITABLE')) throw error;
  const orderedAt = parts.env.now();
  const subjects = stopped.map((one): Subject => ({ deed, order: '', orderedAt, why, ...one }));
  const done = await carryOut(
    parts,
    subjects.map((subject) => ({ subject, wants })),
  );
  const failed = [...done.values()].flat().filter(({ step, ok }) => step === 'processes' && !ok);
  throw new AgovError(error.code, {
    what:
      failed.length === 0
        ? `What ran was stopped, and the ${deed} is not on record.`
        : `The ${deed} is not on record, and not all that runs could be stopped.`,
    why: [error.message, ...failed.map(({ detail }) => detail)].join(' '),
    fix: 'Give the same command again once the ledger answers: from then on the agent could act again.',
    cause: error,
  });
}
