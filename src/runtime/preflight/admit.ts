/** Whether a run may start on what was found, and what of it stays on record. */
import { AgovError } from '../../kernel/index.ts';
import type { PreflightRecord } from '../../schemas/index.ts';
import type { Preflight } from './preflight.ts';
import type { Check } from './types.ts';

export interface Waiver {
  /** The operator's; undefined: nothing is passed over. */
  readonly reason: string | undefined;
  /** Names of the checks whose failure an operator may pass over. */
  readonly waivable: readonly string[];
}

/** @throws AgovError PREFLIGHT_FAILED with the failed checks in `details.checks` */
export function admit({ status, checks }: Preflight, { reason, waivable }: Waiver): PreflightRecord {
  const failed = checks.filter((check) => check.status === 'failed');
  if (failed.length === 0) return { status };
  const standing = reason === undefined ? failed : failed.filter(({ name }) => !waivable.includes(name));
  if (standing.length > 0) throw refused(standing, reason !== undefined);
  return { status, waived: { checks: [...new Set(failed.map(({ name }) => name))], reason: reason ?? '' } };
}

function refused(failed: readonly Check[], wanted: boolean): AgovError {
  const [first] = failed;
  const names = [...new Set(failed.map(({ name }) => name))].join(', ');
  const more = failed.length > 1 ? ` And ${failed.length - 1} more.` : '';
  const because = wanted ? 'These checks cannot be passed over here (preflight.waivable). ' : '';
  const remedy = first?.fix ?? 'Look at them all: agov preflight';
  return new AgovError('PREFLIGHT_FAILED', {
    what: `The run was not started: ${names} failed before it.`,
    why: `${because}${first?.what ?? ''}${first?.why ? ` ${first.why}` : ''}${more}`,
    fix: remedy,
    details: { checks: failed },
  });
}
