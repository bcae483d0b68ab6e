import type { Env } from '../../../kernel/index.ts';

/**
 * A wall clock that gives no time back: set back, it goes on from where it was, in this process by the monotonic clock and
 * after a restart from `least`, the latest time on record.
 */
export function steadyClock(env: Env): (least: number) => number {
  let [at, ticks] = [0, env.monotonic()];
  return (least) => {
    const since = env.monotonic() - ticks;
    ticks += since;
    at = Math.max(at + since, env.now(), least);
    return at;
  };
}
