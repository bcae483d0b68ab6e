/** What somebody tries who can write everything on the state server, and holds nobody's key; and a worker cut off from it. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Governed, governed } from '../../../test/support/governed.ts';
import { describeWith } from '../../../test/support/needs.ts';
import { type RedisServer, redisServer } from '../../../test/support/redis-server.ts';
import { openBullmq } from '../../adapters/queue/bullmq/index.ts';
import type { Queue, QueuedJob } from '../../adapters/queue/port.ts';
import { fileArtifacts } from '../../governance/evidence/index.ts';
import { loadKey, loadOrCreateKey } from '../../governance/ledger/index.ts';
import { AgovError, idSource, systemEnv } from '../../kernel/index.ts';
import { runningStageSchema } from '../../schemas/index.ts';
import type { CommandJob, Performed } from '../pipeline/index.ts';
import {
  createOpener,
  createSeal,
  jobFormat,
  nameOf,
  openRemote,
  type Remote,
  type RunningWorker,
  startWorker,
  type WorkerEvent,
} from './index.ts';
import type { Job, Result } from './messages/index.ts';

const env = systemEnv();
const ids = idSource(env);
const leaseMs = 500;
const stage = runningStageSchema.parse({ agent: 'builder', run: ['true'] });

describeWith('redis-server', 'whoever writes to the server', () => {
  let server: RedisServer;
  let home: Governed;
  let away: Governed;
  let queue: Queue;
  let remote: Remote;
  let worker: RunningWorker | undefined;
  let effects: CommandJob[];
  let events: WorkerEvent[];
  let given: QueuedJob[];
  let hold: Promise<void> | undefined;
  const run = 'run-1';

  const keyOf = (of: Governed) => loadKey(join(of.dir, 'ledger.key'));
  const sealOf = (of: Governed, purpose: 'job' | 'result') => {
    const key = keyOf(of);
    return createSeal({ ...key, sign: async (text) => key.sign(text) }, purpose);
  };
  const stranger = (purpose: 'job' | 'result') => {
    const key = loadOrCreateKey(join(home.dir, 'stranger.key'), 'example.com/test');
    return createSeal({ ...key, sign: async (text) => key.sign(text) }, purpose);
  };

  beforeAll(async () => {
    server = await redisServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    [home, away] = [await governed({ agents: { builder: 'T1' } }), await governed({ agents: { builder: 'T1' } })];
    queue = openBullmq({ url: `redis://127.0.0.1:${server.port}`, env, tag: `agov:${ids()}`, format: jobFormat });
    [effects, events, given, hold, worker] = [[], [], [], undefined, undefined];
    const watched: Queue = {
      ...queue,
      delivery: {
        ...queue.delivery,
        give(jobs) {
          given.push(...jobs);
          return queue.delivery.give(jobs);
        },
      },
    };
    remote = openRemote(
      {
        ...{ env, leaseMs, ledger: home.ledger, approvals: home.approvals, version: '0', store: 'home' },
        ...{ queue: watched, artifacts: fileArtifacts(join(home.dir, 'artifacts'), ids) },
        policyVersion: home.governor.policyVersion,
        seal: sealOf(home, 'job'),
        open: createOpener([keyOf(away)], 'result'),
        onNote: () => undefined,
      },
      run,
    );
  });
  afterEach(async () => {
    worker?.stop();
    await worker?.ended;
    await remote[Symbol.asyncDispose]();
    await queue[Symbol.asyncDispose]();
    await Promise.all([home[Symbol.asyncDispose](), away[Symbol.asyncDispose]()]);
  });

  /** The next attempt at the unit, as the driver would have it done. */
  async function attempt(): Promise<Performed> {
    const entry = await home.ledger.append({ kind: 'stage', run, agent: 'builder', body: { step: 'test' } });
    const begun = { attempt: 1, id: entry.id, recorded: Promise.resolve() };
    return remote.perform({
      run,
      key: 's',
      stage,
      workspace: '/',
      locks: {},
      begun,
      signal: new AbortController().signal,
    });
  }
  async function work(on: Queue = queue): Promise<void> {
    const artifacts = fileArtifacts(join(away.dir, 'artifacts'), ids);
    const { workspace } = away.channel('builder');
    worker = await startWorker({
      ...{ env, ids, artifacts, leaseMs, queue: on, ledger: away.ledger, approvals: away.approvals, store: 'away' },
      ...{ policyVersion: away.governor.policyVersion, mostBytes: 1000, mayLive: () => true, onOrder: () => undefined },
      keep: { artifacts, hidden: [], workspace: async () => workspace },
      worker: { name: 'one', host: 'away', key: nameOf(keyOf(away)) },
      seal: sealOf(away, 'result'),
      open: createOpener([keyOf(home)], 'job'),
      onEvent: (event) => events.push(event),
      perform: (job) =>
        away.governor.act(
          away.channel('builder', job.run),
          { action: 'process.exec', resource: 'true', args: { argv: ['true'] } },
          async () => {
            effects.push(job);
            await hold;
            const printed = { ...(await artifacts.put('stdout', 'done')), name: 'stdout', dropped: 0 };
            return { value: undefined, outcome: { status: 'ok', facts: {}, artifacts: [printed] } };
          },
          { parent: job.begun.id, ...(job.begun.after ? { after: job.begun.after } : {}) },
        ),
      record: {
        ...{ name: 'one', host: 'away', boot: '', pid: 1, started: '', version: '0', format: jobFormat },
        ...{ key: '', concurrency: 4, since: 0 },
      },
    });
  }
  const refused = () =>
    expect.poll(() => events.filter(({ event }) => event === 'refused').length, { timeout: 10_000 });
  const jobIn = ({ text }: QueuedJob): Job => JSON.parse(text.slice(0, text.indexOf('\n')));
  const must = (job: QueuedJob | undefined): QueuedJob => job ?? expect.unreachable('no job was given');
  const violations = (of: Governed) => of.ledger.query({ kinds: ['violation'] });

  it('can give no work: not under a key of theirs, not by a word changed, not with a result’s signature', async () => {
    await work();
    expect((await attempt()).verdict).toBe('allow');
    const real = must(given[0]);
    const other = { ...jobIn(real), token: 'another-token' };
    const forged = [
      await stranger('job')(other),
      `${JSON.stringify(other)}${real.text.slice(real.text.indexOf('\n'))}`,
      await sealOf(home, 'result')(other),
      'nothing of the kind',
    ];
    await queue.delivery.give(forged.map((text, i) => ({ id: `another-token.${i}`, run, text })));
    await refused().toBe(forged.length);
    expect(effects).toHaveLength(1);
    expect(violations(away)[0]?.body).toMatchObject({ what: 'A job that nobody trusted has signed.' });
  });

  it('can have no work done again: neither the same job, nor a copy under another name, nor after its claim is gone', async () => {
    await work();
    await attempt();
    const real = must(given[0]);
    await queue.delivery.give([real]);
    await queue.delivery.give([{ ...real, id: 'another-name.0' }]);
    await server.admin().flushall();
    await queue.delivery.give([real]);
    expect((await attempt()).verdict, 'behind all of these in the queue').toBe('allow');
    expect(effects.map(({ begun }) => begun.id)).toEqual(given.slice(0, 2).map((one) => jobIn(one).token));
  });

  it('can give no result: neither of their own, nor that of another job', async () => {
    await work();
    await attempt();
    const [real = ''] = await resultsOf(queue, run);
    worker?.drain();
    await worker?.ended;
    worker = undefined;
    const waiting = attempt().catch((error: unknown) => error);
    await expect.poll(() => given.length).toBe(2);
    const { id } = must(given[1]);
    const said: Result = JSON.parse(real.slice(0, real.indexOf('\n')));
    const mine = { ...said, about: { ...said.about, token: jobIn(must(given[1])).token } };
    await queue.claims.claim(id, 'evil', { leaseMs, keepMs: 60_000 });
    for (const text of [real, await stranger('result')(mine), await sealOf(away, 'job')(mine)])
      await queue.claims.finish({ id, run }, 'evil', text);
    expect(await waiting, 'its claim ends, and nobody ever did it').toMatchObject({ code: 'WORKER_LOST' });
    await remote[Symbol.asyncDispose]();
    expect(violations(home)[0]?.body).toMatchObject({ what: 'A result that no trusted worker has signed.' });
    expect(effects).toHaveLength(1);
  });

  it('lose a worker that is cut off: it stops what it runs, and what it says later is not taken', async () => {
    const open = Promise.withResolvers<void>();
    hold = open.promise;
    let cut = false;
    const { claims } = queue;
    const never = new Promise<never>(() => undefined);
    await work({
      ...queue,
      claims: {
        ...claims,
        renew: (...asked) => (cut ? Promise.reject(new Error('no route')) : claims.renew(...asked)),
      },
    });
    const waiting = attempt().catch((error: unknown) => error);
    await expect.poll(() => effects.length).toBe(1);
    cut = true;
    expect(await Promise.race([waiting, never])).toMatchObject({ code: 'WORKER_LOST' });
    expect(effects[0]?.signal.aborted, 'before anybody else could begin').toBe(true);
    open.resolve();
    await expect.poll(() => events.at(-1)).toMatchObject({ event: 'late' });
    const [lost] = home.ledger.query({ kinds: ['job'] });
    expect(lost?.body).toMatchObject({ step: 'lost', about: { token: effects[0]?.begun.id } });
    expect(await resultsOf(queue, run), 'nor is it kept').toEqual([]);
  });

  it('fail nothing that was done while the server was away: what it made is sent and fetched once it answers', async () => {
    const left = { put: 2, get: 2 };
    const away = <A extends unknown[], R>(which: 'put' | 'get', call: (...args: A) => Promise<R>) => {
      return (...args: A): Promise<R> =>
        left[which]-- > 0 ? Promise.reject(new AgovError('STATE_UNAVAILABLE', { what: 'LOADING' })) : call(...args);
    };
    const { put, get } = queue.parcels;
    Object.assign(queue.parcels, { put: away('put', put), get: away('get', get) });
    await work();
    const done = await attempt();
    if (done.verdict !== 'allow') return expect.unreachable('it was done');
    const [{ sha256 } = { sha256: '' }] = done.outcome.artifacts ?? [];
    expect(Buffer.from(await fileArtifacts(join(home.dir, 'artifacts'), ids).get(sha256)).toString()).toBe('done');
    expect(left).toEqual({ put: -1, get: -1 });
  });

  it('leave a job of another version to workers of that version', async () => {
    await work();
    const text = await sealOf(home, 'job')({ v: 2, something: 'new' });
    await queue.delivery.give([{ id: 'of-the-future.0', run, text }]);
    await refused().toBeGreaterThan(0);
    expect((await queue.claims.look(['of-the-future.0']))[0]).toMatchObject({ queued: true, holder: undefined });
    expect(violations(away)).toEqual([]);
  });

  it('do nothing under other rules than the coordinator’s', async () => {
    await work();
    const entry = await home.ledger.append({ kind: 'stage', run, body: { step: 'test' } });
    const real = await attempt().then(() => jobIn(must(given[0])));
    const job: Job = { ...real, token: entry.id, policyVersion: 'f'.repeat(64) };
    await queue.delivery.give([{ id: `${entry.id}.0`, run, text: await sealOf(home, 'job')(job) }]);
    await expect.poll(async () => (await queue.claims.look([`${entry.id}.0`]))[0]?.result).toContain('other rules');
    expect(effects).toHaveLength(1);
  });
});

/** What has been published of a run by now. */
async function resultsOf(queue: Queue, run: string): Promise<readonly string[]> {
  const over = new AbortController();
  using _timer = env.timer(() => over.abort(), 300);
  const found: string[] = [];
  for await (const { result } of queue.claims.results(run, over.signal)) found.push(result);
  return found;
}
