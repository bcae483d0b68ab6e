/** What came of an attempt, before and after its artifacts and outputs are kept. */
import type { End } from '../../../../governance/governor/index.ts';
import { isAgovError, type JsonObject, messageOf, parseDuration } from '../../../../kernel/index.ts';
import type { ArtifactRef, Entry, Stage } from '../../../../schemas/index.ts';
import type { Written } from '../../journal/index.ts';
import type { Elsewhere } from '../command.ts';

export interface Ended {
  readonly status: 'ok' | 'failed' | 'denied';
  readonly reason: string | undefined;
  readonly code: string | undefined;
  readonly artifacts: readonly ArtifactRef[];
  readonly facts: JsonObject;
  readonly outputs: JsonObject;
  readonly elsewhere?: Elsewhere;
  /** The entry of its outcome, where that may still be on its way. */
  readonly rests?: Written;
}

export function without(status: 'failed' | 'denied', reason: string, code?: string): Ended {
  return { status, reason, code, artifacts: [], facts: {}, outputs: {} };
}

export function failedOn(error: unknown): Ended {
  return without('failed', messageOf(error), isAgovError(error) ? error.code : undefined);
}

/** The end of an attempt whose effect is on record already: it must not be repeated. */
export function endOf({ body, artifacts = [] }: Entry, timeout: string | undefined): Ended {
  return ended({ ...(body as unknown as End), artifacts }, timeout); // written by the governor alone
}

export function ended({ status, reason, artifacts = [], facts }: End, timeout: string | undefined): Ended {
  const { exitCode, durationMs } = facts;
  const late = timeout !== undefined && exitCode !== 0 && Number(durationMs) >= parseDuration(timeout);
  // Of an agent that has used up what it was given, nothing more comes by trying again.
  const spent = facts['end'] === 'budget' ? 'BUDGET_EXCEEDED' : undefined;
  const code = spent ?? (late ? 'TIMEOUT' : typeof exitCode === 'number' ? `EXIT_${exitCode}` : 'TOOL_FAILED');
  return { status: status === 'ok' ? 'ok' : 'failed', reason, code, artifacts, facts, outputs: {} };
}

/** What was expected decides what is well: a stage that must be refused has failed when it was not. */
export function meet(expect: Stage['expect'], end: Ended): Ended {
  if (expect === 'ok') return end;
  if (end.status === 'denied') return { ...end, status: 'ok', reason: `Refused, as expected: ${end.reason ?? ''}` };
  return { ...end, status: 'failed', reason: 'The rules were expected to refuse this, and did not.' };
}

/** What is wrong with the record, or with agov itself, is no stage's failure. */
export function stopsTheRun(error: unknown): boolean {
  return !isAgovError(error) || isAgovError(error, 'LEDGER_UNAVAILABLE', 'DISK_FULL', 'INTERNAL', 'NOT_WRITABLE');
}
