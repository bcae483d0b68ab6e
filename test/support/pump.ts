/** Lets time pass on a fake clock for as long as something is under way. */
import type { FakeEnv } from './fake-env.ts';

/** What `work` comes to; time passes in steps of `ms`, each after all that is ready has been done. */
export async function pumped<T>(env: FakeEnv, work: Promise<T>, ms = 100): Promise<T> {
  let over = false;
  const ended = work.finally(() => {
    over = true;
  });
  ended.catch(() => undefined); // the caller gets it
  while (!over) await step(env, ms);
  return ended;
}

/** Until it holds. */
export async function pumpUntil(env: FakeEnv, holds: () => boolean, ms = 100): Promise<void> {
  for (let steps = 0; !holds(); steps++) {
    if (steps > 5000) throw new Error(`it did not come about in ${steps * ms} ms of the fake clock`);
    await step(env, ms);
  }
}

export async function step(env: FakeEnv, ms: number): Promise<void> {
  env.advance(ms);
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
