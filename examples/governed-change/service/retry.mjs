/** Calls `attempt` until it succeeds. The flaw is on purpose: it is what the example's executor mends. */
export async function retry(attempt) {
  for (;;) {
    try {
      return await attempt();
    } catch {
      // try again, for ever
    }
  }
}
