/** What every queue must do, tried on the real thing. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sha256Hex } from '../../kernel/index.ts';
import type { Queue, QueuedJob, WorkerRecord } from './port.ts';

const keepMs = 60_000;
const lease = { leaseMs: 5000, keepMs };
let made = 0;
const jobOf = (text = 'do it'): QueuedJob => ({ id: `job-${++made}-number.0`, run: `run-${made}`, text });
const nobody = (error: Error): void => expect.unreachable(error.message);

export function queueContract(open: () => Promise<Queue>): void {
  let queue: Queue;
  beforeAll(async () => {
    queue = await open();
  });
  afterAll(() => queue[Symbol.asyncDispose]());

  it('delivers what was given before and after somebody takes, once where nobody dies', async () => {
    const jobs = Array.from({ length: 40 }, (_, i) => jobOf(`text ${i} é\n"`));
    await queue.delivery.give(jobs.slice(0, 20));
    await queue.delivery.give(jobs.slice(0, 20));
    const seen: string[] = [];
    const all = Promise.withResolvers<void>();
    let [running, most] = [0, 0];
    const taking = queue.delivery.take({
      concurrency: 4,
      onFault: nobody,
      async onJob({ id, text }) {
        most = Math.max(most, ++running);
        seen.push(`${id} ${text}`);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        if (seen.length === jobs.length) all.resolve();
        return 'done';
      },
    });
    await queue.delivery.give(jobs.slice(20));
    await all.promise;
    await taking.close();
    expect(seen.sort()).toEqual(jobs.map(({ id, text }) => `${id} ${text}`).sort());
    expect(most).toBe(4);
    const left = await queue.claims.look(jobs.map(({ id }) => id));
    expect(left.filter(({ queued }) => queued)).toEqual([]);
  });

  it('gives back what is not for one, for another to take', async () => {
    const job = jobOf();
    const [refused, took] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()];
    const one = queue.delivery.take({
      ...{ concurrency: 1, onFault: nobody },
      async onJob() {
        refused.resolve();
        return 'back';
      },
    });
    await queue.delivery.give([job]);
    await refused.promise;
    one.pause();
    const other = queue.delivery.take({
      ...{ concurrency: 1, onFault: nobody },
      async onJob({ id }) {
        took.resolve(id);
        return 'done';
      },
    });
    expect(await took.promise).toBe(job.id);
    await Promise.all([one.close(), other.close()]);
  });

  it('takes nothing once it is told to pause, also what it had asked for ahead', async () => {
    const job = jobOf();
    const seen: string[] = [];
    const resumed = Promise.withResolvers<void>();
    const taking = queue.delivery.take({
      ...{ concurrency: 2, onFault: nobody },
      async onJob({ id }) {
        seen.push(id);
        resumed.resolve();
        return 'done';
      },
    });
    const first = jobOf();
    await queue.delivery.give([first]);
    await resumed.promise;
    taking.pause();
    await queue.delivery.give([job]);
    // Were it to be taken, it would be by now: another finds it still there.
    const other = Promise.withResolvers<string>();
    const second = queue.delivery.take({
      ...{ concurrency: 1, onFault: nobody },
      async onJob({ id }) {
        other.resolve(id);
        return 'done';
      },
    });
    expect(await other.promise).toBe(job.id);
    expect(seen).toEqual([first.id]);
    await Promise.all([taking.close(), second.close()]);
  });

  it('lets one holder begin a job, for ever, however often and by whomever it is asked', async () => {
    const { id, run } = jobOf();
    const won = await Promise.all(Array.from({ length: 20 }, (_, i) => queue.claims.claim(id, `holder-${i}`, lease)));
    expect(won.filter(Boolean)).toHaveLength(1);
    const holder = `holder-${won.indexOf(true)}`;
    expect(await queue.claims.claim(id, holder, lease), 'the answer may have been lost').toBe(true);
    expect(await queue.claims.finish({ id, run }, 'holder-x', 'forged')).toBe(false);
    expect(await queue.claims.finish({ id, run }, holder, 'result')).toBe(true);
    await queue.claims.settle([id]);
    expect(await queue.claims.claim(id, 'another', lease)).toBe(false);
    expect((await queue.claims.look([id]))[0]).toMatchObject({ holder, result: undefined, queued: false });
  });

  it('bars for ever what nobody began, and what its holder let go', async () => {
    const [fresh, held] = [jobOf(), jobOf()];
    expect(await queue.claims.fence(fresh.id, keepMs)).toMatchObject({ fenced: true, holder: undefined });
    expect(await queue.claims.claim(fresh.id, 'late', lease)).toBe(false);
    await queue.claims.claim(held.id, 'me', { leaseMs: 60_000, keepMs });
    expect(await queue.claims.fence(held.id, keepMs)).toMatchObject({ fenced: false, holder: 'me' });
    await queue.claims.renew([{ id: held.id, holder: 'me' }], 1);
    await expect.poll(async () => (await queue.claims.fence(held.id, keepMs)).fenced).toBe(true);
    expect(await queue.claims.finish(held, 'me', 'late')).toBe(false);
    expect(await queue.claims.renew([{ id: held.id, holder: 'me' }], 5000)).toEqual({ lost: [held.id], cancelled: [] });
  });

  it('does not bar what has its result', async () => {
    const { id, run } = jobOf();
    await queue.claims.claim(id, 'me', { leaseMs: 1, keepMs });
    await queue.claims.finish({ id, run }, 'me', 'result');
    await expect.poll(async () => (await queue.claims.look([id]))[0]?.leftMs).toBe(0);
    expect(await queue.claims.fence(id, keepMs)).toMatchObject({ fenced: false, result: 'result' });
    expect(await queue.claims.cancel(id, keepMs)).toMatchObject({ fenced: false, result: 'result' });
    expect((await queue.claims.fence(id, keepMs, 'another result')).fenced).toBe(false);
    expect((await queue.claims.fence(id, keepMs, 'result')).fenced, 'it was found to be forged').toBe(true);
  });

  it('tells the holder to stop, and bars what nobody began', async () => {
    const [fresh, held] = [jobOf(), jobOf()];
    expect((await queue.claims.cancel(fresh.id, keepMs)).fenced).toBe(true);
    await queue.claims.claim(held.id, 'me', lease);
    expect((await queue.claims.cancel(held.id, keepMs)).fenced).toBe(false);
    const told = await queue.claims.renew([{ id: held.id, holder: 'me' }], 5000);
    expect(told).toEqual({ lost: [], cancelled: [held.id] });
  });

  it('keeps a word about a job that nobody may begin', async () => {
    const { id } = jobOf();
    await queue.claims.remark(id, 'not mine');
    expect((await queue.claims.look([id]))[0]).toMatchObject({ holder: undefined, fenced: false, remark: 'not mine' });
    expect(await queue.claims.claim(id, 'another', lease), 'it bars nobody').toBe(true);
  });

  it('loses whoever holds what the server has forgotten', async () => {
    const { id } = jobOf();
    expect(await queue.claims.renew([{ id, holder: 'me' }], 5000)).toEqual({ lost: [id], cancelled: [] });
  });

  it('brings results to whoever follows the run', async () => {
    const { run } = jobOf();
    const ids = Array.from({ length: 10 }, (_, i) => `result-${made}-${i}.0`);
    const over = new AbortController();
    const got: string[] = [];
    const reading = (async () => {
      for await (const { id, result } of queue.claims.results(run, over.signal)) {
        got.push(`${id} ${result}`);
        if (got.length === ids.length) over.abort();
      }
    })();
    for (const id of ids) {
      await queue.claims.claim(id, 'me', lease);
      await queue.claims.finish({ id, run }, 'me', `of ${id}`);
    }
    await reading;
    expect(got).toEqual(ids.map((id) => `${id} of ${id}`));
  });

  it('lists workers, and orders one or all until another order', async () => {
    const record = (name: string): WorkerRecord => ({
      ...{ name, host: 'h', boot: 'b', pid: 1, started: '1', version: '1.0.0', format: 1, key: 'k' },
      ...{ concurrency: 4, running: 2, since: 5 },
    });
    const { fleet } = queue;
    expect(await fleet.announce(record('one'))).toBe('go');
    await fleet.order('all', 'pause');
    expect(await fleet.announce(record('two'))).toBe('pause');
    await fleet.order({ name: 'one' }, 'go');
    expect([await fleet.announce(record('one')), await fleet.announce(record('two'))]).toEqual(['go', 'pause']);
    await fleet.order('all', 'go');
    await fleet.order({ name: 'two' }, 'drain');
    expect((await fleet.list()).map(({ name, order, running }) => [name, order, running])).toEqual([
      ['one', 'go', 2],
      ['two', 'drain', 2],
    ]);
    await fleet.leave('two');
    expect(await fleet.announce(record('two')), 'who left has drained').toBe('go');
    await Promise.all([fleet.leave('one'), fleet.leave('two')]);
    expect(await fleet.list()).toEqual([]);
  });

  it('carries bytes whole, or not at all', async () => {
    const bytes = Buffer.alloc(1_300_000, 'aäö\0');
    const digest = sha256Hex(bytes);
    await queue.parcels.put(digest, bytes, 60_000);
    expect((await queue.parcels.get(digest))?.equals(bytes)).toBe(true);
    expect(await queue.parcels.get(sha256Hex('other'))).toBeUndefined();
    await queue.parcels.put(sha256Hex(''), Buffer.alloc(0), 60_000);
    expect(await queue.parcels.get(sha256Hex(''))).toHaveLength(0);
    await queue.parcels.put(digest, bytes, 1);
    await expect.poll(() => queue.parcels.get(digest)).toBeUndefined();
  });
}
