/** What is asked one by one in a turn of the event loop, done together; and while that goes on, what comes waits. */
export function batching<T, R>(
  most: number,
  work: (all: readonly T[]) => Promise<readonly R[]>,
): (one: T) => Promise<R> {
  interface Waiting {
    readonly one: T;
    readonly resolve: (result: R) => void;
    readonly reject: (error: unknown) => void;
  }
  const waiting: Waiting[] = [];
  let busy = false;

  const go = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const all = waiting.splice(0, most);
      try {
        const results = await work(all.map(({ one }) => one));
        // One result each, in order.
        for (const [i, { resolve }] of all.entries()) resolve(results[i] as R);
      } catch (error) {
        for (const { reject } of all) reject(error);
      }
    }
    busy = false;
  };

  return (one) =>
    new Promise((resolve, reject) => {
      waiting.push({ one, resolve, reject });
      if (busy) return;
      busy = true;
      void go();
    });
}
