/**
 * Stages a second of the engine whose units workers do, beside bare BullMQ with as many jobs that do nothing, in the same
 * run on the same server. `governed`: the worker judges each act and records it in a ledger of its own, as it always does.
 * `engine`: its effect is nothing at all, so that what is left is the journal, the claim and the seals.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Queue, QueueEvents, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { openBullmq } from '../../src/adapters/queue/bullmq/index.ts';
import { ledgerApprovals } from '../../src/governance/approvals/index.ts';
import { loadKey } from '../../src/governance/ledger/index.ts';
import { workspaceOf } from '../../src/work/agents/index.ts';
import {
  createOpener,
  createSeal,
  jobFormat,
  nameOf,
  openRemote,
  startWorker,
} from '../../src/work/orchestrator/index.ts';
import { drive, type Perform, startRun } from '../../src/work/pipeline/index.ts';
import { redisServer } from '../../test/support/redis-server.ts';
import { quantile } from '../disk.ts';
import { atOnce, type Ground, openGround, pipelineOf, stagesEach } from './ground.ts';

/** Medians of three runs of 1,000 each. */
export interface BullmqBench {
  readonly engine: Rates;
  readonly governed: Rates;
  readonly bare: Rates;
  /** Of bare BullMQ. */
  readonly engineShare: Rates;
}

export interface Rates {
  readonly chainPerSecond: number;
  readonly fanOutPerSecond: number;
}

type Shape = 'chain' | 'fan-out';
const shapes: readonly Shape[] = ['chain', 'fan-out'];
const rounds = 3;
const by = { operator: 'bench', user: 'bench' };
const never = new AbortController().signal;

export async function benchBullmq(): Promise<BullmqBench | undefined> {
  if (spawnSync('redis-server', ['--version']).status !== 0) return undefined;
  await using server = await redisServer();
  await using home = await openGround();
  await using away = await openGround();
  const taken = {
    engine: new Map<Shape, number[]>(),
    governed: new Map<Shape, number[]>(),
    bare: new Map<Shape, number[]>(),
  };
  const note = (what: keyof typeof taken, shape: Shape, rate: number) =>
    taken[what].set(shape, [...(taken[what].get(shape) ?? []), rate]);
  for (let round = 0; round <= rounds; round++) {
    for (const shape of shapes) {
      const engine = await throughWorker(server.port, home, away, shape, nothing(home));
      const governed = await throughWorker(server.port, home, away, shape, away.perform);
      const bare = await bareBullmq(server.port, shape);
      if (round === 0) continue; // warms up
      note('engine', shape, engine);
      note('governed', shape, governed);
      note('bare', shape, bare);
    }
  }
  const rates = (of: Map<Shape, number[]>): Rates => ({
    chainPerSecond: Math.round(quantile(of.get('chain') ?? [], 0.5)),
    fanOutPerSecond: Math.round(quantile(of.get('fan-out') ?? [], 0.5)),
  });
  const [engine, governed, bare] = [rates(taken.engine), rates(taken.governed), rates(taken.bare)];
  const share = (one: number, all: number): number => Math.round((one / all) * 100) / 100;
  return {
    ...{ engine, governed, bare },
    engineShare: {
      chainPerSecond: share(engine.chainPerSecond, bare.chainPerSecond),
      fanOutPerSecond: share(engine.fanOutPerSecond, bare.fanOutPerSecond),
    },
  };
}

/** Once the claim is on disk. */
function nothing({ governor }: Ground): Perform {
  return async ({ begun }) => {
    await begun.recorded;
    return {
      ...{ verdict: 'allow', id: begun.id, value: undefined },
      decision: { verdict: 'allow', policies: [], reasons: [], policyVersion: governor.policyVersion },
      outcome: { status: 'ok', facts: {} },
    };
  };
}

const keyOf = (ground: Ground) => loadKey(join(ground.dir, 'key'));
const sealOf = (ground: Ground, purpose: 'job' | 'result') => {
  const key = keyOf(ground);
  return createSeal({ ...key, sign: async (text) => key.sign(text) }, purpose);
};

async function throughWorker(
  port: number,
  home: Ground,
  away: Ground,
  shape: Shape,
  perform: Perform,
): Promise<number> {
  const { env, ids } = home;
  const common = { url: `redis://127.0.0.1:${port}`, env, tag: `agov:${ids()}`, format: jobFormat };
  await using queue = openBullmq(common);
  await using other = openBullmq(common);
  const { policyVersion } = home.governor;
  const worker = await startWorker({
    ...{
      env,
      ids,
      perform,
      policyVersion,
      queue: other,
      ledger: away.ledger,
      artifacts: away.artifacts,
      leaseMs: 10_000,
    },
    approvals: ledgerApprovals(away.ledger, env, 60_000),
    keep: {
      artifacts: away.artifacts,
      hidden: [],
      workspace: async (folder) => workspaceOf(away.workspace, folder, []),
    },
    worker: { name: 'bench', host: 'bench', key: nameOf(keyOf(away)) },
    ...{ store: 'away', mostBytes: 0, seal: sealOf(away, 'result'), open: createOpener([keyOf(home)], 'job') },
    ...{ mayLive: () => true, onEvent: () => undefined, onOrder: () => undefined },
    record: {
      ...{ name: 'bench', host: 'bench', boot: '', pid: 1, started: '', version: '', format: jobFormat, key: '' },
      ...{ concurrency: atOnce, since: 0 },
    },
  });
  const pipeline = pipelineOf(shape);
  const run = await startRun(home, pipeline, { text: shape, file: `${shape}.yaml`, params: {} }, by);
  const remote = openRemote(
    {
      ...{ env, queue, policyVersion, ledger: home.ledger, artifacts: home.artifacts, leaseMs: 10_000 },
      approvals: ledgerApprovals(home.ledger, env, 60_000),
      ...{ version: '', store: 'home', seal: sealOf(home, 'job'), open: createOpener([keyOf(away)], 'result') },
      onNote: () => undefined,
    },
    run,
  );
  const began = performance.now();
  const state = await drive(
    {
      ...home,
      perform: remote.perform,
      hidden: [],
      workspace: (folder) => workspaceOf(home.workspace, folder, []),
      ask: () => Promise.reject(new Error('nothing asks')),
    },
    pipeline,
    run,
    { stop: never, quit: never },
  );
  const rate = (stagesEach / (performance.now() - began)) * 1000;
  worker.drain();
  await worker.ended;
  await remote[Symbol.asyncDispose]();
  if (state.status !== 'ok') throw new Error(`the bench's own pipeline did not end well: ${state.reason}`);
  return rate;
}

/** As many jobs as there are stages, whose end is heard of as another process would hear of it. */
async function bareBullmq(port: number, shape: Shape): Promise<number> {
  const connect = () => new Redis({ port, maxRetriesPerRequest: null, protocol: 2, disableClientInfo: true });
  const connections = [connect(), connect(), connect()] as const;
  const shared = { prefix: '{bare}', skipVersionCheck: true };
  const name = `bare-${shape}`;
  const queue = new Queue(name, { ...shared, connection: connections[0] });
  const worker = new Worker(name, async () => undefined, {
    ...shared,
    connection: connections[1],
    concurrency: atOnce,
  });
  const events = new QueueEvents(name, { ...shared, connection: connections[2] });
  await Promise.all([worker.waitUntilReady(), events.waitUntilReady()]);
  let ended = 0;
  let onEnd = (): void => undefined;
  events.on('completed', () => {
    ended += 1;
    onEnd();
  });
  const until = (count: number) =>
    new Promise<void>((resolve) => {
      onEnd = () => void (ended >= count && resolve());
      onEnd();
    });
  const opts = { removeOnComplete: true };
  const data = { run: 'r', stage: 's', attempt: 1 };
  const began = performance.now();
  if (shape === 'fan-out') {
    await queue.addBulk(Array.from({ length: stagesEach }, () => ({ name: 'job', data, opts })));
    await until(stagesEach);
  } else {
    for (let i = 1; i <= stagesEach; i++) {
      await queue.add('job', data, opts);
      await until(i);
    }
  }
  const rate = (stagesEach / (performance.now() - began)) * 1000;
  await Promise.all([worker.close(), events.close(), queue.close()]);
  for (const connection of connections) connection.disconnect();
  return rate;
}
