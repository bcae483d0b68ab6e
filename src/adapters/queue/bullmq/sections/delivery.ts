/** Delivery by BullMQ: who takes a job, in which order, and that one whose taker died comes again. */
import { DelayedError, Queue, Worker } from 'bullmq';
import { AgovError, type Env, messageOf } from '../../../../kernel/index.ts';
import type { Delivery } from '../../port.ts';
import type { Server } from '../connection.ts';

const jobId = /^[A-Za-z0-9.-]{8,128}$/;
const backMs = 1000;
/** Of a taker that has died before it began: claims decide what may be begun, so that coming again does no harm. */
const lockMs = 15_000;
const mostReturns = 1000;

/** Jobs leave nothing behind in the queue: their claims say what became of them. */
const keepNothing = { removeOnComplete: true, removeOnFail: true } as const;

export interface DeliveryPlace {
  readonly prefix: string;
  readonly name: string;
}

export function deliveryOn(server: Server, place: DeliveryPlace, env: Env): Delivery & AsyncDisposable {
  const shared = { prefix: place.prefix, skipVersionCheck: true };
  let opened: Queue | undefined;
  const takers = new Set<Worker>();
  const queue = (): Queue => {
    if (opened) return opened;
    const streams = { events: { maxLen: 1000 } };
    opened = new Queue(place.name, { ...shared, connection: server.redis, streams, skipMetasUpdate: true });
    opened.on('error', () => undefined); // told by the calls
    return opened;
  };

  return {
    async give(jobs) {
      for (const { id } of jobs) {
        if (!jobId.test(id) || /^\d+$/.test(id))
          throw new AgovError('INPUT_INVALID', { what: `"${id}" names no job.` });
      }
      const bulk = jobs.map(({ id, text }) => ({ name: 'job', data: text, opts: { jobId: id, ...keepNothing } }));
      await server.within(queue().addBulk(bulk));
    },
    take({ concurrency, onJob, onFault }) {
      let taking = true;
      const worker = new Worker<string>(
        place.name,
        async (job, token) => {
          // It asks for work ahead, and gets what comes first although it was told to take no more.
          if (taking && (await onJob({ id: job.id ?? '', text: String(job.data) })) === 'done') return;
          await job.moveToDelayed(env.now() + backMs, token);
          throw new DelayedError();
        },
        {
          ...{ ...shared, ...keepOptions, connection: server.redis, concurrency },
          ...{ lockDuration: lockMs, stalledInterval: lockMs / 3, maxStalledCount: mostReturns },
          // Its own is 15 seconds, in which a server that has restarted waits for its workers.
          runRetryDelay: 250,
          drainDelay: 2,
        },
      );
      worker.on('error', (error) => onFault(new Error(messageOf(error))));
      takers.add(worker);
      return {
        pause() {
          taking = false;
          void worker.pause(true);
        },
        resume() {
          taking = true;
          worker.resume();
        },
        async close() {
          taking = false;
          await worker.close();
          takers.delete(worker);
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...takers].map((taker) => taker.close(true)));
      await opened?.close();
    },
  };
}

const keepOptions = { removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } };
