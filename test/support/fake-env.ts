/** An Env whose clock moves only when told to, and whose randomness is a counter's hash: equal runs, equal ids. */
import { createHash } from 'node:crypto';
import type { Env } from '../../src/kernel/index.ts';

export interface FakeEnv extends Env {
  /** Moves both clocks on and fires the timers that fall due, in order. */
  advance(ms: number): void;
  /** Sets the wall clock, back too; the monotonic clock stays. */
  setNow(ms: number): void;
}

interface Due {
  readonly at: number;
  readonly fire: () => void;
}

export function fakeEnv(options: { readonly now?: number; readonly seed?: string } = {}): FakeEnv {
  let wall = options.now ?? Date.UTC(2026, 0, 1);
  let mono = 0;
  let draws = 0;
  const pending = new Set<Due>();

  const schedule = (fire: () => void, ms: number): Disposable => {
    const due = { at: mono + ms, fire };
    pending.add(due);
    return { [Symbol.dispose]: () => pending.delete(due) };
  };
  const nextDue = (until: number): Due | undefined =>
    [...pending].filter((due) => due.at <= until).sort((a, b) => a.at - b.at)[0];

  return {
    now: () => wall,
    monotonic: () => mono,
    random(length) {
      const blocks = Array.from({ length: Math.ceil(length / 32) }, () =>
        createHash('sha256')
          .update(`${options.seed ?? ''}${draws++}`)
          .digest(),
      );
      return new Uint8Array(Buffer.concat(blocks).subarray(0, length));
    },
    timer: schedule,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const timer = schedule(resolve, ms);
        signal?.addEventListener('abort', () => {
          timer[Symbol.dispose]();
          reject(signal.reason);
        });
      }),
    advance(ms) {
      const until = mono + ms;
      for (let due = nextDue(until); due; due = nextDue(until)) {
        wall += due.at - mono;
        mono = due.at;
        pending.delete(due);
        due.fire();
      }
      wall += until - mono;
      mono = until;
    },
    setNow(ms) {
      wall = ms;
    },
  };
}
