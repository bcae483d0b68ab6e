/**
 * Stages a second of the engine whose units a worker does, in a process of its own, beside bare BullMQ with as many jobs
 * that do nothing, in the same run on the same server. `governed`: the worker judges each act and records it in a ledger of
 * its own, as it always does. `engine`: its effect is nothing at all, so that what is left is the journal, the claim and the
 * seals. The server appends to a file and waits for the disk, as both ledgers do.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Queue, QueueEvents } from 'bullmq';
import { z } from 'zod';
import { openBullmq } from '../../src/adapters/queue/bullmq/index.ts';
import { ledgerApprovals } from '../../src/governance/approvals/index.ts';
import { workspaceOf } from '../../src/work/agents/index.ts';
import { createOpener, jobFormat, openRemote } from '../../src/work/orchestrator/index.ts';
import { drive, startRun } from '../../src/work/pipeline/index.ts';
import { redisServer } from '../../test/support/redis-server.ts';
import { quantile } from '../disk.ts';
import { bareOptions, connectTo, keyFile, keyOf, sealOf } from './bullmq-parts.ts';
import { type Ground, openGround, pipelineOf, stagesEach } from './ground.ts';

/** Medians of three runs of 1,000 each. */
export interface BullmqBench {
  readonly engine: Rates;
  readonly governed: Rates;
  readonly bare: Rates;
  /** On a server that keeps everything in memory alone. */
  readonly bareInMemory: Rates;
  /** Of bare BullMQ on the same server. */
  readonly engineShare: Rates;
}

export interface Rates {
  readonly chainPerSecond: number;
  readonly fanOutPerSecond: number;
}

type Shape = 'chain' | 'fan-out';
type Kind = 'engine' | 'governed' | 'bare';
const shapes: readonly Shape[] = ['chain', 'fan-out'];
const rounds = 3;
const by = { operator: 'bench', user: 'bench' };
const never = new AbortController().signal;

export async function benchBullmq(): Promise<BullmqBench | undefined> {
  if (spawnSync('redis-server', ['--version']).status !== 0) return undefined;
  await using server = await redisServer(['--appendonly', 'yes', '--appendfsync', 'always']);
  await using home = await openGround();
  const [engine, governed, bare] = [
    await rates(home, server.port, 'engine'),
    await rates(home, server.port, 'governed'),
    await rates(home, server.port, 'bare'),
  ];
  await using forgetful = await redisServer();
  const bareInMemory = await rates(home, forgetful.port, 'bare');
  const share = (one: number, all: number): number => Math.round((one / all) * 100) / 100;
  return {
    ...{ engine, governed, bare, bareInMemory },
    engineShare: {
      chainPerSecond: share(engine.chainPerSecond, bare.chainPerSecond),
      fanOutPerSecond: share(engine.fanOutPerSecond, bare.fanOutPerSecond),
    },
  };
}

async function rates(home: Ground, port: number, kind: Kind): Promise<Rates> {
  const tag = `agov:${home.ids()}`;
  const name = 'bare';
  await using worker = await startAway(
    kind === 'bare' ? { kind, port, name } : { kind, port, tag, trusted: keyFile(home.dir) },
  );
  const taken: Record<Shape, number[]> = { chain: [], 'fan-out': [] };
  for (let round = 0; round <= rounds; round++) {
    for (const shape of shapes) {
      const rate =
        kind === 'bare'
          ? await bareRate(home, port, name, shape)
          : await engineRate(home, port, tag, worker.dir, shape);
      if (round > 0) taken[shape].push(rate); // the first one warms up
    }
  }
  const median = (all: readonly number[]): number => Math.round(quantile([...all], 0.5));
  return { chainPerSecond: median(taken.chain), fanOutPerSecond: median(taken['fan-out']) };
}

async function startAway(asked: object): Promise<{ readonly dir: string } & AsyncDisposable> {
  const file = fileURLToPath(new URL('worker.ts', import.meta.url));
  const child = spawn(process.execPath, [file, JSON.stringify(asked)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const { dir = '' } = z.object({ dir: z.string().optional() }).parse(JSON.parse(String(line)));
  return {
    dir,
    async [Symbol.asyncDispose]() {
      const gone = once(child, 'exit');
      child.stdin.end();
      await gone;
    },
  };
}

async function engineRate(home: Ground, port: number, tag: string, away: string, shape: Shape): Promise<number> {
  const { env, ledger, artifacts } = home;
  await using queue = openBullmq({ url: `redis://127.0.0.1:${port}`, env, tag, format: jobFormat });
  const { policyVersion } = home.governor;
  const pipeline = pipelineOf(shape);
  const run = await startRun(home, pipeline, { text: shape, file: `${shape}.yaml`, params: {} }, by);
  await using remote = openRemote(
    {
      ...{ env, queue, policyVersion, ledger, artifacts, leaseMs: 10_000, version: '', store: 'home' },
      approvals: ledgerApprovals(ledger, env, 60_000),
      ...{ seal: sealOf(home, 'job'), open: createOpener([keyOf({ dir: away })], 'result'), onNote: () => undefined },
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
  if (state.status !== 'ok') throw new Error(`the bench's own pipeline did not end well: ${state.reason}`);
  return rate;
}

/** As many jobs as there are stages, whose end is heard of as another process hears of it. */
async function bareRate({ env }: Ground, port: number, name: string, shape: Shape): Promise<number> {
  const connections = [connectTo(port), connectTo(port)] as const;
  const queue = new Queue(name, { ...bareOptions, connection: connections[0] });
  // From now on: by default it is from whenever it first asks, which may be after the first job is done.
  const lastEventId = `${env.now()}-0`;
  const events = new QueueEvents(name, { ...bareOptions, connection: connections[1], lastEventId });
  await events.waitUntilReady();
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
  await Promise.all([events.close(), queue.close()]);
  for (const connection of connections) connection.disconnect();
  return rate;
}
