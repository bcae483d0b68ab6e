/**
 * A process that uses one lock on a state server: `node lock-worker.ts URL TAG CALLS SEED`. It begins when its standard
 * input ends, and prints what it called and heard as JSON.
 */
import { text } from 'node:stream/consumers';
import { openDragonflyState } from '../../src/adapters/state/dragonfly/index.ts';
import { isAgovError, Secret, systemEnv } from '../../src/kernel/index.ts';
import type { LockCall, LockEvent } from './linearizability.ts';

const env = systemEnv();
const [url = '', tag = '', calls = '0', seed = '1'] = process.argv.slice(2);
const ttlMs = 120;
let state = Number(seed);
/** A number below `n`; a generator of its own, so that a failure can be had again. */
const chance = (n: number): number => {
  state = (state * 48_271) % 2_147_483_647;
  return state % n;
};

const password = new Secret(process.env['AGOV_STATE_PASSWORD'] ?? '');
await using store = await openDragonflyState({ url, env, tag, password, deadlineMs: 250 });
const { locks } = store;
const history: LockEvent[] = [];
let mine = 0;

async function attempt<T>(body: () => Promise<T>): Promise<T | 'unknown'> {
  try {
    return await body();
  } catch (error) {
    if (!isAgovError(error, 'STATE_UNAVAILABLE')) throw error;
    return 'unknown';
  }
}

async function next(): Promise<LockCall> {
  const what = chance(10);
  if (mine !== 0 && what < 4) {
    const token = mine;
    const result = await attempt(() => locks.renew('deploy', token, ttlMs));
    if (result === false) mine = 0;
    return { call: 'renew', token, ttlMs, result };
  }
  if (mine !== 0 && what < 8) {
    const token = mine;
    mine = 0;
    return { call: 'release', token, result: await attempt(() => locks.release('deploy', token)) };
  }
  if (what === 9) {
    const found = await attempt(async () => (await locks.holder('deploy'))?.token ?? 'nobody');
    return { call: 'holder', result: found };
  }
  const result = await attempt(async () => (await locks.acquire('deploy', `p${seed}`, ttlMs)) ?? 'denied');
  if (typeof result === 'object') mine = result.token;
  return { call: 'acquire', ttlMs, result };
}

process.stdout.write('ready\n');
await text(process.stdin);
for (let n = 0; n < Number(calls); n++) {
  const start = env.now();
  const call = await next();
  history.push({ ...call, start, end: env.now() });
  await env.sleep(chance(8) === 0 ? ttlMs : 5 + chance(40));
}
process.stdout.write(`${JSON.stringify(history)}\n`);
