/** The checker itself, with histories that it must refuse, and what eight processes saw of one lock over a bad network. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { systemEnv } from '../src/kernel/index.ts';
import { faultProxy } from './support/fault-proxy.ts';
import { type LockCall, type LockEvent, violation } from './support/linearizability.ts';
import { describeWith } from './support/needs.ts';
import { redisPassword, redisServer } from './support/redis-server.ts';

const ttlMs = 100;
type Step = readonly [start: number, end: number, call: LockCall];
const acquire = (result: number | 'denied' | 'unknown', at = 0): LockCall => ({
  ...{ call: 'acquire', ttlMs },
  result: typeof result === 'number' ? { token: result, expiresAt: at + ttlMs } : result,
});
const renew = (token: number, result: boolean | 'unknown'): LockCall => ({ call: 'renew', token, ttlMs, result });
const release = (token: number, result: boolean | 'unknown'): LockCall => ({ call: 'release', token, result });
const holder = (result: number | 'nobody'): LockCall => ({ call: 'holder', result });
const history = (steps: readonly Step[]): LockEvent[] => steps.map(([start, end, call]) => ({ ...call, start, end }));

const explained: readonly (readonly [string, readonly Step[]])[] = [
  ['nothing', []],
  [
    'one after the other',
    [
      [0, 1, acquire(1, 0)],
      [2, 3, release(1, true)],
      [4, 5, acquire(2, 4)],
    ],
  ],
  [
    'a denial that overlaps a release',
    [
      [0, 1, acquire(1, 0)],
      [2, 9, release(1, true)],
      [3, 8, acquire('denied')],
    ],
  ],
  [
    'a grant after the end of another',
    [
      [0, 1, acquire(1, 0)],
      [100, 101, acquire(2, 100)],
    ],
  ],
  [
    'a renewal that puts it off',
    [
      [0, 1, acquire(1, 0)],
      [50, 51, renew(1, true)],
      [120, 121, acquire('denied')],
    ],
  ],
  [
    'a failed call that was done',
    [
      [0, 5, acquire('unknown')],
      [9, 10, acquire('denied')],
      [130, 131, acquire(9, 130)],
    ],
  ],
  [
    'a failed call that was not',
    [
      [0, 5, acquire('unknown')],
      [6, 7, acquire(1, 6)],
    ],
  ],
  [
    'a failed release that was done',
    [
      [0, 1, acquire(1, 0)],
      [2, 4, release(1, 'unknown')],
      [5, 6, acquire(2, 5)],
    ],
  ],
  [
    'a failed grant that its holder is asked about',
    [
      [0, 5, acquire('unknown')],
      [6, 7, holder(3)],
      [8, 9, renew(3, true)],
    ],
  ],
];

const refused: readonly (readonly [string, readonly Step[]])[] = [
  [
    'two holders at once',
    [
      [0, 1, acquire(1, 0)],
      [2, 3, acquire(2, 2)],
    ],
  ],
  [
    'two overlapping grants of which neither can be first',
    [
      [0, 9, acquire(1, 1)],
      [0, 9, acquire(2, 1)],
    ],
  ],
  [
    'a token twice',
    [
      [0, 1, acquire(1, 0)],
      [2, 3, release(1, true)],
      [4, 5, acquire(1, 4)],
    ],
  ],
  [
    'a token that goes back',
    [
      [0, 1, acquire(5, 0)],
      [2, 3, release(5, true)],
      [4, 5, acquire(4, 4)],
    ],
  ],
  [
    'a denial while nobody has it',
    [
      [0, 1, acquire(1, 0)],
      [2, 3, release(1, true)],
      [4, 5, acquire('denied')],
    ],
  ],
  [
    'a denial after the end',
    [
      [0, 1, acquire(1, 0)],
      [101, 102, acquire('denied')],
    ],
  ],
  [
    'a renewal after the end',
    [
      [0, 1, acquire(1, 0)],
      [101, 102, renew(1, true)],
    ],
  ],
  [
    'a renewal by who had it before',
    [
      [0, 1, acquire(1, 0)],
      [100, 101, acquire(2, 100)],
      [102, 103, renew(1, true)],
    ],
  ],
  [
    'a renewal that did not hold',
    [
      [0, 1, acquire(1, 0)],
      [50, 51, renew(1, true)],
      [110, 111, acquire(2, 110)],
    ],
  ],
  [
    'a release refused to the holder',
    [
      [0, 1, acquire(1, 0)],
      [2, 3, release(1, false)],
    ],
  ],
  [
    'a release twice',
    [
      [0, 1, acquire(1, 0)],
      [2, 3, release(1, true)],
      [4, 5, release(1, true)],
    ],
  ],
  ['a grant that ends too late', [[0, 1, acquire(1, 700)]]],
  [
    'a holder after the release',
    [
      [0, 1, acquire(1, 0)],
      [2, 3, release(1, true)],
      [4, 5, holder(1)],
    ],
  ],
  [
    'nobody while somebody has it',
    [
      [0, 1, acquire(1, 0)],
      [2, 3, holder('nobody')],
    ],
  ],
  [
    'an effect of a failed call before it began',
    [
      [0, 1, acquire('denied')],
      [2, 3, acquire('unknown')],
    ],
  ],
];

describe('the checker of lock histories', () => {
  it.each(explained)('explains %s', (_name, steps) => {
    expect(violation(history(steps))).toBeUndefined();
  });

  it.each(refused)('refuses %s', (_name, steps) => {
    expect(violation(history(steps))).toMatch(/No order explains/);
  });
});

const worker = fileURLToPath(new URL('support/lock-worker.ts', import.meta.url));
const env = systemEnv();
const processes = 8;
const calls = Number(process.env['AGOV_LOCK_CALLS'] ?? 40);
/** Longer than a call may take, a proxy may delay it, and a stopped process may sleep: then it has happened or never will. */
const settledMs = 1500;
const skewMs = 2;

describeWith('redis-server', 'one lock of eight processes', () => {
  it(`is one lock over pauses, cuts, delays and expiry (${processes * calls} calls)`, async () => {
    await using server = await redisServer();
    await using proxy = await faultProxy(server.port);
    const tag = 'agov:lin';
    const user = await server.user(tag);
    const url = `redis://${user.name}@127.0.0.1:${proxy.port}`;
    const children: ChildProcess[] = [];
    await using _end = {
      async [Symbol.asyncDispose]() {
        for (const child of children) child.kill('SIGKILL');
      },
    };

    const work = Array.from({ length: processes }, async (_, i) => {
      const argv = [worker, url, tag, String(calls), String(7919 * (i + 1))];
      const child = spawn(process.execPath, argv, {
        env: { ...process.env, AGOV_STATE_PASSWORD: redisPassword },
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      children.push(child);
      const faults = text(child.stderr);
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const ready = await lines.next();
      return { child, faults, lines, ready };
    });
    const ready = await Promise.all(work);

    // Chance from a generator of our own, so that faults come in the same order every time.
    let draw = 12_345;
    const chance = (n: number): number => {
      draw = (draw * 48_271) % 2_147_483_647;
      return draw % n;
    };
    proxy.set({ delayMs: () => (chance(20) === 0 ? 100 : chance(4)), cutChance: () => chance(25) === 0 });
    const stop = new AbortController();
    const pausing = (async () => {
      for (;;) {
        const child = children[chance(processes)];
        child?.kill('SIGSTOP');
        await env.sleep(40 + chance(160), stop.signal).finally(() => child?.kill('SIGCONT'));
        await env.sleep(30, stop.signal);
      }
    })().catch(() => undefined);
    for (const { child } of ready) child.stdin.end('go\n');

    const histories = await Promise.all(
      ready.map(async ({ child, faults, lines }) => {
        const closed = once(child, 'close');
        const { value } = await lines.next();
        const [code] = await closed;
        expect({ code, faults: await faults }).toEqual({ code: 0, faults: '' });
        return JSON.parse(value ?? '[]') as LockEvent[]; // what lock-worker.ts prints
      }),
    );
    stop.abort();
    await pausing;

    const all = histories.flat();
    const seen = all.map((event) => (event.result === 'unknown' ? { ...event, end: event.end + settledMs } : event));
    const count = (what: (event: LockEvent) => boolean): number => all.filter(what).length;
    expect(violation(seen, skewMs)).toBeUndefined();
    // A history in which nothing happens proves nothing.
    expect(all).toHaveLength(processes * calls);
    expect(count((event) => event.call === 'acquire' && typeof event.result === 'object')).toBeGreaterThan(10);
    expect(count((event) => event.call === 'acquire' && event.result === 'denied')).toBeGreaterThan(10);
    expect(count((event) => event.result === 'unknown')).toBeGreaterThan(3);
    expect(count((event) => event.call === 'renew' && event.result === false)).toBeGreaterThan(0);
  });
});
