/**
 * Units done by two workers, each a host with a ledger of its own, over a queue on a real server that delivers every job
 * twice. A worker may die at any append to its ledger: its claims end with it, and another takes its place.
 */
import { join } from 'node:path';
import { openBullmq } from '../../../src/adapters/queue/bullmq/index.ts';
import type { Queue } from '../../../src/adapters/queue/port.ts';
import { fileArtifacts } from '../../../src/governance/evidence/index.ts';
import { loadKey } from '../../../src/governance/ledger/index.ts';
import { idSource, systemEnv } from '../../../src/kernel/index.ts';
import {
  createOpener,
  createSeal,
  jobFormat,
  nameOf,
  openRemote,
  startWorker,
} from '../../../src/work/orchestrator/index.ts';
import { type Governed, governed } from '../governed.ts';
import { type Driver, type Engine, type Life, mortal, partsOf, settleAll } from './world.ts';

export interface FleetOptions {
  readonly url: string;
  /** At which appends, counted from its start, workers die; one a life. */
  readonly deaths: readonly number[];
  /** At each delivery of a job. */
  onDelivery?(): void;
}

const leaseMs = 1000;
const hosts = 2;
const limits = { intentsPerRun: 1_000_000, denialsPerRun: 10_000 };

export async function fleet({ url, deaths, onDelivery }: FleetOptions): Promise<Engine> {
  const env = systemEnv();
  const ids = idSource(env);
  const tag = `agov:${ids()}`;
  const open = (): Queue => openBullmq({ url, env, tag, format: jobFormat });
  const left = [...deaths];
  const grounds = await Promise.all(
    Array.from({ length: hosts }, () => governed({ agents: { builder: 'T1' }, limits })),
  );
  const keys = (of: Governed) => loadKey(join(of.dir, 'ledger.key'));
  const queues: Queue[] = [];
  const living = new Map<number, () => Promise<void>>();
  let [over, lives] = [false, 0];

  const live = async (host: number, ground: Governed, driver: Driver): Promise<void> => {
    const queue = open();
    queues.push(queue);
    const dieAt = left.shift();
    const life = mortal(ground.ledger, dieAt);
    const name = `worker-${host}-${++lives}`;
    const artifacts = fileArtifacts(join(ground.dir, 'artifacts'), ids);
    const died = Promise.withResolvers<void>();
    const watched: Life = {
      ...life,
      ledger: {
        ...life.ledger,
        append: (draft) => life.ledger.append(draft).finally(() => life.dead() && died.resolve()),
      },
    };
    const { parts, approvals, policyVersion } = partsOf(ground, watched, artifacts, driver.effect(watched));
    const key = keys(ground);
    const worker = await startWorker({
      ...{ env, ids, approvals, artifacts, policyVersion, leaseMs, ledger: watched.ledger, perform: parts.perform },
      queue: mortalQueue(queue, life, onDelivery),
      keep: { artifacts, workspace: parts.workspace, hidden: [] },
      worker: { name, host: `host-${host}`, key: nameOf(key) },
      store: `store-${host}`,
      mostBytes: 1_000_000,
      seal: createSeal({ ...key, sign: async (text) => key.sign(text) }, 'result'),
      open: createOpener([keys(driver.base)], 'job'),
      onEvent: () => undefined,
      onOrder: () => undefined,
      mayLive: () => true,
      record: {
        ...{ name, host: `host-${host}`, boot: '', pid: 1, started: '', version: '0', format: jobFormat },
        ...{ key: nameOf(key), concurrency: 4, since: 0 },
      },
    });
    const ended = worker.ended.catch(() => undefined); // of the dead
    living.set(host, async () => {
      worker.stop();
      await Promise.race([ended, died.promise]);
      await queue[Symbol.asyncDispose]();
    });
    died.promise.then(async () => {
      await queue[Symbol.asyncDispose]();
      await settleAll(ground.ledger);
      if (!over) await live(host, ground, driver);
    });
  };

  return {
    async open(driver) {
      if (living.size === 0) await Promise.all(grounds.map((ground, host) => live(host, ground, driver)));
      const { base, parts, run } = driver;
      const key = keys(base);
      const queue = open();
      const remote = openRemote(
        {
          ...{ env, queue, leaseMs, ledger: parts.ledger, artifacts: parts.artifacts, approvals: driver.approvals },
          ...{ policyVersion: driver.policyVersion, version: '0', store: 'home' },
          seal: createSeal({ ...key, sign: async (text) => key.sign(text) }, 'job'),
          open: createOpener(grounds.map(keys), 'result'),
          onNote: () => undefined,
        },
        run,
      );
      return {
        perform: remote.perform,
        async [Symbol.asyncDispose]() {
          await remote[Symbol.asyncDispose]();
          await queue[Symbol.asyncDispose]();
        },
      };
    },
    async [Symbol.asyncDispose]() {
      over = true;
      for (const stop of living.values()) await stop();
      for (const ground of grounds) await ground[Symbol.asyncDispose]();
    },
  };
}

/** Delivers twice; and from its owner's death on nothing that it is asked is ever answered. */
function mortalQueue(queue: Queue, life: Life, onDelivery: FleetOptions['onDelivery']): Queue {
  const alive =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> =>
      life.dead() ? new Promise<R>(() => undefined) : call(...args);
  const { claims, fleet: list, delivery } = queue;
  return {
    ...queue,
    claims: { ...claims, claim: alive(claims.claim), renew: alive(claims.renew), finish: alive(claims.finish) },
    fleet: { ...list, announce: alive(list.announce) },
    delivery: {
      ...delivery,
      take: (options) =>
        delivery.take({
          ...options,
          async onJob(job) {
            onDelivery?.();
            const [first] = await Promise.all([options.onJob(job), options.onJob(job)]);
            return first;
          },
        }),
    },
  };
}
