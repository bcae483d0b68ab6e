/** What every state adapter must do. Two handles on one store, a clock that the suite moves, and a way to reopen. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgentRecord, LiveRun, State, StateEvent } from './port.ts';

export interface StateFixture extends AsyncDisposable {
  readonly first: State;
  readonly second: State;
  /** The clock that both handles go by. */
  now(): number;
  /** Milliseconds that this clock may run on by itself during a step of a test: 0 for one that only the suite moves. */
  readonly slack: number;
  /** Lets time pass for both: moves a fake clock, or waits where only the server's clock counts. */
  advance(ms: number): Promise<void>;
  /** Closes both handles and opens the same store anew. */
  reopen(): Promise<State>;
}

const ttl = 1000;
const tick = 25;

export function stateContract(name: string, open: () => Promise<StateFixture>): void {
  describe(`${name} keeps the state contract`, () => {
    let fixture: StateFixture;
    let first: State;
    let second: State;
    beforeEach(async () => {
      fixture = await open();
      ({ first, second } = fixture);
    });
    afterEach(() => fixture[Symbol.asyncDispose]());

    describe('registry', () => {
      it('shows every handle the same agents, by name', async () => {
        await first.registry.put(agent('zed'));
        await second.registry.put(agent('amy'));
        expect(await first.registry.list()).toEqual([agent('amy'), agent('zed')]);
        expect(await second.registry.get('zed')).toEqual(agent('zed'));
        expect(await second.registry.get('nobody')).toBeUndefined();
      });

      it('puts many at once, all or none', async () => {
        await first.registry.putAll([agent('zed'), { ...agent('amy'), status: 'frozen', reason: 'why' }]);
        await first.registry.putAll([]);
        expect((await second.registry.list()).map(({ name, status }) => [name, status])).toEqual([
          ['amy', 'frozen'],
          ['zed', 'active'],
        ]);
        await refuses(second.registry.putAll([{ ...agent('amy'), status: 'revoked' }, agent('')]));
        expect(await first.registry.get('amy')).toMatchObject({ status: 'frozen' });
      });

      it('replaces a record whole', async () => {
        const revoked: AgentRecord = {
          ...agent('amy'),
          status: 'revoked',
          reason: 'It lied.',
          parent: 'bob',
          changedAt: 9,
        };
        await first.registry.put(revoked);
        expect(await second.registry.get('amy')).toEqual(revoked);
        await second.registry.put(agent('amy'));
        expect(await first.registry.get('amy')).toStrictEqual(agent('amy'));
      });

      it('lists live runs oldest first, of all agents or of one', async () => {
        await first.registry.startRun(run('late', 'amy', 30));
        await second.registry.startRun(run('early', 'zed', 10));
        await first.registry.startRun(run('middle', 'amy', 20));
        expect((await second.registry.liveRuns()).map((r) => r.intent)).toEqual(['early', 'middle', 'late']);
        expect(await second.registry.liveRuns('amy')).toEqual([run('middle', 'amy', 20), run('late', 'amy', 30)]);
      });

      it('takes heartbeats until the run is ended, by anyone', async () => {
        await first.registry.startRun(run('r1', 'amy', 10));
        await first.registry.startRun(run('r2', 'amy', 20));
        expect(await second.registry.beat(['r1', 'r2'], 500)).toEqual([]);
        expect((await first.registry.liveRuns()).map((r) => r.beatAt)).toEqual([500, 500]);
        await second.registry.endRun('r1');
        expect(await first.registry.beat(['r1', 'r2', 'r3'], 600)).toEqual(['r1', 'r3']);
        expect(await first.registry.beat(['r2'], 550)).toEqual([]);
        expect(await first.registry.liveRuns()).toEqual([{ ...run('r2', 'amy', 20), beatAt: 600 }]);
        expect(await first.registry.beat([], 700)).toEqual([]);
        await first.registry.endRun('r1');
      });

      it('tells at one look whether agents and runs may go on, in the order of the question', async () => {
        await first.registry.put(agent('amy'));
        await second.registry.stopRun({ run: 'bad', reason: 'It "lied".' });
        const actors = [
          { agent: 'amy', run: 'bad' },
          { agent: 'zed', run: 'good' },
          { agent: 'amy', run: 'good' },
        ];
        expect(await first.registry.standings(actors)).toEqual([
          { agent: agent('amy'), stopped: 'It "lied".' },
          { agent: undefined, stopped: undefined },
          { agent: agent('amy'), stopped: undefined },
        ]);
        expect(await first.registry.standings([])).toEqual([]);
      });

      it('lists what was stopped, once each', async () => {
        expect(await first.registry.stoppedRuns()).toEqual([]);
        for (const [run, reason] of [
          ['r2', 'late'],
          ['r1', ''],
          ['r2', 'why'],
        ] as const)
          await first.registry.stopRun({ run, reason });
        expect(await second.registry.stoppedRuns()).toEqual([
          { run: 'r1', reason: '' },
          { run: 'r2', reason: 'why' },
        ]);
      });
    });

    describe('locks', () => {
      it('grants to one at a time, the same owner included', async () => {
        const grant = await first.locks.acquire('deploy', 'amy', ttl);
        isNow((grant?.expiresAt ?? 0) - ttl);
        expect(await second.locks.acquire('deploy', 'zed', ttl)).toBeUndefined();
        expect(await first.locks.acquire('deploy', 'amy', ttl)).toBeUndefined();
        expect(await second.locks.holder('deploy')).toEqual({ ...grant, owner: 'amy' });
        expect(await second.locks.acquire('other', 'zed', ttl)).toBeDefined();
      });

      it('gives tokens that only grow: over release, expiry and reopening', async () => {
        const tokens = [await token(first, 'deploy')];
        await second.locks.release('deploy', tokens[0] ?? 0);
        tokens.push(await token(second, 'deploy'));
        await fixture.advance(ttl);
        tokens.push(await token(first, 'deploy'));
        const third = await fixture.reopen();
        expect(await third.locks.holder('deploy')).toMatchObject({ token: tokens[2] });
        await third.locks.release('deploy', tokens[2] ?? 0);
        tokens.push(await token(third, 'deploy'));
        expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
        expect(tokens.every(Number.isSafeInteger)).toBe(true);
      });

      it('ends a grant at its time', async () => {
        await token(first, 'deploy');
        const margin = Math.max(1, fixture.slack);
        await fixture.advance(ttl - margin);
        expect(await second.locks.holder('deploy')).toBeDefined();
        await fixture.advance(margin);
        expect(await second.locks.holder('deploy')).toBeUndefined();
      });

      it('renews from now, and only the current grant', async () => {
        const old = await token(first, 'deploy');
        await fixture.advance(ttl / 2);
        expect(await second.locks.renew('deploy', old, ttl)).toBe(true);
        isNow(((await first.locks.holder('deploy'))?.expiresAt ?? 0) - ttl);
        await fixture.advance(ttl);
        expect(await first.locks.renew('deploy', old, ttl)).toBe(false);
        const current = await token(second, 'deploy');
        expect(await first.locks.renew('deploy', old, ttl)).toBe(false);
        expect(await first.locks.renew('elsewhere', current, ttl)).toBe(false);
      });

      it('releases only the current grant', async () => {
        const old = await token(first, 'deploy');
        expect(await second.locks.release('deploy', old)).toBe(true);
        expect(await first.locks.release('deploy', old)).toBe(false);
        const current = await token(second, 'deploy');
        expect(await first.locks.release('deploy', old)).toBe(false);
        expect(await first.locks.holder('deploy')).toMatchObject({ token: current });
      });
    });

    describe('locks that are held', () => {
      it('lists them by name with their owners, and no other', async () => {
        expect(await first.locks.held()).toEqual([]);
        const b = await first.locks.acquire('b', 'amy', 4 * ttl);
        const a = await second.locks.acquire('a', 'zed', 4 * ttl);
        const given = await token(first, 'given');
        await second.locks.release('given', given);
        const renewed = await token(second, 'renewed');
        await first.locks.renew('renewed', renewed, 4 * ttl);
        await first.locks.acquire('over', 'amy', 1);
        await fixture.advance(ttl);
        await first.locks.acquire('other', 'amy', 4 * ttl);
        const held = await second.locks.held();
        expect(held.map(({ name }) => name)).toEqual(['a', 'b', 'other', 'renewed']);
        expect(held.slice(0, 2)).toEqual([
          { name: 'a', owner: 'zed', ...a },
          { name: 'b', owner: 'amy', ...b },
        ]);
      });
    });

    describe('counters', () => {
      it('adds up over handles, below zero too', async () => {
        expect(await first.counters.get('spent')).toBe(0);
        expect(await first.counters.add('spent', 5)).toEqual({ value: 5, accepted: true });
        expect(await second.counters.add('spent', -7)).toEqual({ value: -2, accepted: true });
        expect(await first.counters.get('spent')).toBe(-2);
        await second.counters.reset('spent');
        expect(await first.counters.get('spent')).toBe(0);
      });

      it('adds nothing that would pass the limit, and may reach it', async () => {
        expect(await first.counters.add('spent', 11, 10)).toEqual({ value: 0, accepted: false });
        expect(await first.counters.add('spent', 10, 10)).toEqual({ value: 10, accepted: true });
        expect(await second.counters.add('spent', 1, 10)).toEqual({ value: 10, accepted: false });
        expect(await second.counters.add('spent', -3, 10)).toEqual({ value: 7, accepted: true });
      });

      it('holds the limit when all add at once', async () => {
        const adds = Array.from({ length: 60 }, (_, i) => (i % 2 ? first : second).counters.add('spent', 1, 25));
        const accepted = (await Promise.all(adds)).filter((count) => count.accepted);
        expect(accepted.map((count) => count.value).sort((a, b) => a - b)).toEqual(
          Array.from({ length: 25 }, (_, i) => i + 1),
        );
        expect(await first.counters.get('spent')).toBe(25);
      });

      it('refuses what is no safe integer', async () => {
        await refuses(first.counters.add('spent', 0.5));
        await refuses(first.counters.add('spent', Number.NaN));
        await first.counters.add('spent', Number.MAX_SAFE_INTEGER);
        await refuses(first.counters.add('spent', 1));
        expect(await second.counters.get('spent')).toBe(Number.MAX_SAFE_INTEGER);
      });
    });

    describe('board', () => {
      it('writes only over the version that the caller has seen', async () => {
        expect(await first.board.set('plan', { step: 1 }, 0)).toEqual({ key: 'plan', value: { step: 1 }, version: 1 });
        expect(await second.board.set('plan', { step: 9 }, 0)).toBeUndefined();
        expect(await second.board.set('plan', { step: 2 }, 1)).toMatchObject({ version: 2 });
        expect(await first.board.set('plan', { step: 9 }, 1)).toBeUndefined();
        expect(await first.board.set('none', 1, 3)).toBeUndefined();
        expect(await first.board.get('plan')).toEqual({ key: 'plan', value: { step: 2 }, version: 2 });
      });

      it('goes on with versions after a removal', async () => {
        await first.board.set('plan', 'a', 0);
        await first.board.set('plan', 'b', 1);
        expect(await second.board.remove('plan', 1)).toBe(false);
        expect(await second.board.remove('plan', 2)).toBe(true);
        expect(await second.board.remove('plan', 2)).toBe(false);
        expect(await first.board.get('plan')).toBeUndefined();
        expect(await first.board.set('plan', 'c', 2)).toBeUndefined();
        expect(await first.board.set('plan', 'c', 0)).toMatchObject({ version: 3 });
      });

      it('keeps any JSON as it is', async () => {
        const value = { null: null, text: 'é\u0000"\\', list: [1, -0.5, true, []], ['__proto__']: { a: 1 } };
        await first.board.set('any', value, 0);
        expect(JSON.stringify((await second.board.get('any'))?.value)).toBe(JSON.stringify(sorted(value)));
        expect(await first.board.set('null', null, 0)).toEqual({ key: 'null', value: null, version: 1 });
      });

      it('lists by prefix in the order of the keys, what is removed left out', async () => {
        for (const key of ['b/2', 'a%', 'b/1', 'b_3', 'b', 'b/é', 'b/3']) await first.board.set(key, key, 0);
        await first.board.remove('b/3', 1);
        expect((await second.board.list('b/')).map((item) => item.key)).toEqual(['b/1', 'b/2', 'b/é']);
        expect((await second.board.list('a%')).map((item) => item.key)).toEqual(['a%']);
        expect(await second.board.list('')).toHaveLength(6);
        expect(await second.board.list('c')).toEqual([]);
      });
    });

    describe('events', () => {
      it('numbers them over all topics and handles, and reads them in order', async () => {
        expect(await first.events.last()).toBe(0);
        const a = await first.events.publish('run', { n: 1 });
        const b = await second.events.publish('kill', { n: 2 });
        const c = await first.events.publish('run', { n: 3 });
        expect([a > 0, b > a, c > b, await second.events.last()]).toEqual([true, true, true, c]);
        const read = await second.events.read(a);
        for (const event of read) isNow(event.at);
        expect(read).toEqual([
          { seq: b, at: expect.any(Number), topic: 'kill', body: { n: 2 } },
          { seq: c, at: expect.any(Number), topic: 'run', body: { n: 3 } },
        ]);
        expect((await second.events.read(0, 1)).map((event) => event.seq)).toEqual([a]);
        expect(await second.events.read(c)).toEqual([]);
      });

      it('follows every handle from now on, in order, until the signal aborts', async () => {
        await first.events.publish('run', { n: 0 });
        const stop = new AbortController();
        const seen = collect(second.events.follow(stop.signal), stop, 4);
        // Two handles may lie on two connections: only what the same handle has answered since is "from now on".
        await second.events.last();
        for (const n of [1, 2, 3, 4]) await (n % 2 ? first : second).events.publish('run', { n });
        expect((await settle(seen)).map((event) => event.body['n'])).toEqual([1, 2, 3, 4]);
      });

      it('follows from a number that the caller names', async () => {
        const start = await first.events.publish('run', { n: 1 });
        await first.events.publish('run', { n: 2 });
        const stop = new AbortController();
        const events = await settle(collect(second.events.follow(stop.signal, start), stop, 1));
        expect(events.map((event) => event.body['n'])).toEqual([2]);
      });

      it('returns from a follow that waits when the signal aborts', async () => {
        const stop = new AbortController();
        const seen = collect(first.events.follow(stop.signal), stop, Number.POSITIVE_INFINITY);
        await fixture.advance(tick * 2);
        stop.abort(new Error('enough'));
        expect(await settle(seen)).toEqual([]);
        expect(await collect(first.events.follow(stop.signal, 0), stop, 1)).toEqual([]);
      });
    });

    it.each(['', 'x'.repeat(513), 'nul\0', 'half \ud800'])('refuses the name %j everywhere', async (bad) => {
      await refuses(first.locks.acquire(bad, 'amy', ttl));
      await refuses(first.locks.acquire('deploy', bad, ttl));
      await refuses(first.counters.add(bad, 1));
      await refuses(first.board.set(bad, 1, 0));
      await refuses(first.events.publish(bad, {}));
      await refuses(first.registry.put(agent(bad)));
      await refuses(first.registry.startRun(run(bad, 'amy', 1)));
    });

    it('refuses values over 65,536 bytes, and spans that are none', async () => {
      const fits = 'é'.repeat((65_536 - 2) / 2);
      expect(await first.board.set('big', fits, 0)).toMatchObject({ version: 1 });
      await refuses(first.board.set('big', `${fits}x`, 1));
      await refuses(first.events.publish('run', { big: fits }));
      await refuses(first.board.set('nan', Number.NaN, 0));
      await refuses(first.locks.acquire('deploy', 'amy', 0));
      await refuses(first.locks.acquire('deploy', 'amy', 1.5));
      await refuses(first.events.read(-1));
    });

    function isNow(at: number): void {
      const past = fixture.now() - at;
      expect({ past, near: past >= 0 && past <= fixture.slack }).toMatchObject({ near: true });
    }

    async function settle<T>(promise: Promise<T>): Promise<T> {
      let done = false;
      const settled = promise.finally(() => {
        done = true;
      });
      for (let i = 0; i < 200 && !done; i++) {
        await fixture.advance(tick);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(done, 'it came within 200 ticks').toBe(true);
      return settled;
    }
  });
}

async function collect(events: AsyncIterable<StateEvent>, stop: AbortController, count: number): Promise<StateEvent[]> {
  const seen: StateEvent[] = [];
  for await (const event of events) {
    seen.push(event);
    if (seen.length === count) stop.abort();
  }
  return seen;
}

async function token(state: State, name: string): Promise<number> {
  const grant = await state.locks.acquire(name, 'somebody', ttl);
  expect(grant).toBeDefined();
  return grant?.token ?? Number.NaN;
}

function refuses(call: Promise<unknown>): Promise<void> {
  return expect(call).rejects.toMatchObject({ code: 'INPUT_INVALID', fix: expect.any(String) });
}

function agent(name: string): AgentRecord {
  return { name, tier: 'T1', status: 'active', operator: 'olga', createdAt: 1, changedAt: 2 };
}

function run(id: string, of: string, at: number): LiveRun {
  const process = { host: 'box/boot', governorPid: 11, processGroup: 12, processStart: '77', sandbox: 'none' } as const;
  return { intent: id, run: `run of ${id}`, agent: of, ...process, startedAt: at, beatAt: at };
}

function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
