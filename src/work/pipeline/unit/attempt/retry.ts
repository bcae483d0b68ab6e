/** Whether a failed attempt is followed by another, and when. */
import { type Env, parseDuration } from '../../../../kernel/index.ts';
import type { Stage } from '../../../../schemas/index.ts';

interface Failure {
  readonly status: 'ok' | 'failed' | 'denied';
  readonly code: string | undefined;
}

/** Milliseconds since the epoch, or undefined. Half of each pause is chance, so that many stages do not come back in step. */
export function pauseBefore(
  env: Env,
  retry: Stage['retry'],
  /** Before this one. */
  failures: number,
  { status, code }: Failure,
): number | undefined {
  if (status !== 'failed' || !retry || failures + 1 >= retry.attempts || !isCovered(retry.on, code)) return undefined;
  const longest = parseDuration(retry.longest);
  const pause = Math.min(longest, parseDuration(retry.backoff) * retry.factor ** failures);
  return env.now() + Math.round(pause * (0.5 + (env.random(1)[0] ?? 0) / 510));
}

function isCovered(on: readonly string[] | undefined, code: string | undefined): boolean {
  // What is used up does not come back.
  if (code === 'BUDGET_EXCEEDED') return false;
  if (on === undefined) return true;
  return code !== undefined && (on.includes(code) || (code.startsWith('EXIT_') && on.includes('EXIT')));
}
