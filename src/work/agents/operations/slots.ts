/**
 * Bounds on what agents ask of this process: how many commands and tools one run has started at once, and how often one
 * asker may ask. A command that asks for a command holds its slot meanwhile, so that the first also bounds how deep.
 */
import { AgovError, type Env } from '../../../kernel/index.ts';

export interface Slots {
  /** @throws TOO_MANY_REQUESTS */
  take(run: string): Disposable;
}

export function runSlots(most: number): Slots {
  const taken = new Map<string, number>();
  return {
    take(run) {
      const now = taken.get(run) ?? 0;
      if (now >= most) throw tooMany(`The run has asked for ${most} commands and tools that have not ended.`);
      taken.set(run, now + 1);
      return {
        [Symbol.dispose]() {
          const left = (taken.get(run) ?? 1) - 1;
          if (left > 0) taken.set(run, left);
          else taken.delete(run);
        },
      };
    },
  };
}

/** Throws where it is called more than `perSecond` times a second in the long run, with twice that as a burst. */
export function pace(env: Env, perSecond: number): () => void {
  const burst = 2 * perSecond;
  let left = burst;
  let at = env.monotonic();
  return () => {
    const now = env.monotonic();
    left = Math.min(burst, left + ((now - at) / 1000) * perSecond);
    at = now;
    if (left < 1) throw tooMany(`More than ${perSecond} requests a second.`);
    left -= 1;
  };
}

export function tooMany(why: string): AgovError {
  return new AgovError('TOO_MANY_REQUESTS', {
    what: 'This agent asks for too much at once.',
    why,
    fix: 'Wait for what was asked before, and ask again.',
  });
}
