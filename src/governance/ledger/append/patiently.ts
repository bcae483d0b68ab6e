/** Waits for other processes' transactions without keeping the event loop. */
import type { Env } from '../../../kernel/index.ts';
import { isBusy } from '../store/index.ts';

/** What `work` returns; it is tried again while another process holds the file, until `deadline` on the monotonic clock. */
export async function patiently<T>(env: Env, deadline: number, work: () => T): Promise<T> {
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || env.monotonic() > deadline) throw error;
    }
    // A varying wait, so that processes which met once do not meet for ever.
    await env.sleep(1 + ((env.random(1)[0] ?? 0) % 16));
  }
}
