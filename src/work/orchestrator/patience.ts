/** Calls to a server that may be away for a while: it restarts, it loads its data, a network is cut. */
import { type Env, isAgovError } from '../../kernel/index.ts';

const againMs = 250;

/** What it answers within that time; undefined where it stays away for longer. @throws what is no absence of the server */
export async function whenItAnswers<T>(env: Env, forMs: number, ask: () => Promise<T>): Promise<T | undefined> {
  const until = env.monotonic() + forMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isAgovError(error, 'STATE_UNAVAILABLE')) throw error;
      if (env.monotonic() >= until) return undefined;
    }
    await env.sleep(againMs);
  }
}
