/** A process of its own on a shared state file: `node state-worker.ts PATH JOB TIMES`; prints one JSON value. */
import { openEmbeddedState } from '../../src/adapters/state/embedded/index.ts';
import type { State } from '../../src/adapters/state/port.ts';
import { systemEnv } from '../../src/kernel/index.ts';

const env = systemEnv();
const [path = '', job = '', times = '0'] = process.argv.slice(2);
const count = Number(times);

const jobs: Record<string, (state: State) => Promise<unknown>> = {
  /** Counts until the limit of `TIMES` refuses; prints how many were accepted. */
  async spend(state) {
    let accepted = 0;
    while ((await state.counters.add('spent', 1, count)).accepted) accepted += 1;
    return accepted;
  },
  /** Takes the lock `TIMES` times and adds to a board item that only the lock protects; prints the tokens. */
  async lock(state) {
    const tokens: number[] = [];
    while (tokens.length < count) {
      const grant = await state.locks.acquire('deploy', `worker-${process.pid}`, 10_000);
      if (!grant) {
        await env.sleep(1);
        continue;
      }
      const inside = await state.counters.add('inside', 1);
      // Longer than SQLite's first pauses, so that others wait for the file while the lock is held.
      await env.sleep(2);
      const item = await state.board.get('tokens');
      const seen = Array.isArray(item?.value) ? item.value : [];
      await state.board.set('tokens', [...seen, grant.token], item?.version ?? 0);
      await state.counters.add('inside', -1);
      if (inside.value !== 1) throw new Error(`${inside.value} processes held the lock at once`);
      tokens.push(grant.token);
      await state.locks.release('deploy', grant.token);
    }
    return tokens;
  },
  /** Adds one to a board item `TIMES` times by compare-and-set; prints `TIMES`. */
  async increment(state) {
    for (let done = 0; done < count; ) {
      const item = await state.board.get('total');
      const value = typeof item?.value === 'number' ? item.value : 0;
      if (await state.board.set('total', value + 1, item?.version ?? 0)) done += 1;
    }
    return count;
  },
  /** Writes for ever, one line of output for each number that is acknowledged; somebody kills it. */
  async publish(state) {
    for (;;) {
      const { value } = await state.counters.add('published', 1);
      process.stdout.write(`${await state.events.publish('n', { n: value })}\n`);
    }
  },
};

const run = jobs[job];
if (!run) throw new Error(`no job "${job}"`);
await using state = await openEmbeddedState({ path, env });
process.stdout.write(`${JSON.stringify(await run(state))}\n`);
