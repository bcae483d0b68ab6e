/** Counts what passes and ends what has gone silent. */
import type { Duplex } from 'node:stream';
import type { Env } from '../../kernel/index.ts';

export interface Limits {
  readonly connectMs: number;
  readonly idleMs: number;
}

export interface Counter {
  in: number;
  out: number;
}

/** Calls `onIdle` once `counter` has stood still for `idleMs` to twice that. */
export function watchIdle(env: Env, counter: Counter, idleMs: number, onIdle: () => void): Disposable {
  let last = -1;
  let timer: Disposable;
  const look = (): void => {
    const now = counter.in + counter.out;
    if (now === last) {
      onIdle();
      return;
    }
    last = now;
    timer = env.timer(look, idleMs);
  };
  timer = env.timer(look, idleMs);
  last = counter.in + counter.out;
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}

/** Resolves when `stream` is wholly closed, however that came. */
export function closed(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) resolve();
    else stream.once('close', () => resolve());
  });
}
