/** A worker: takes jobs as long as it may, renews its claims, does what it is ordered, and ends what it has begun. */
import type { Order, WorkerRecord } from '../../../adapters/queue/port.ts';
import { AgovError, isoTime } from '../../../kernel/index.ts';
import { createAlarm } from '../violations.ts';
import { openLeases } from './leases.ts';
import { isFatal, type TakeParts, takeJob } from './take.ts';

export interface WorkerParts extends TakeParts {
  readonly record: Omit<WorkerRecord, 'running'>;
  /** Whether the process of that mark may still live. */
  mayLive(mark: Pick<WorkerRecord, 'host' | 'boot' | 'pid' | 'started'>): boolean;
  onOrder(order: Order): void;
}

export interface RunningWorker {
  /** Resolves when it has left: drained, stopped, or because its ledger failed. @throws what kept it from recording */
  readonly ended: Promise<void>;
  /** Takes nothing new, and leaves when what runs has ended. */
  drain(): void;
  /** Kills what runs, and leaves. */
  stop(): void;
}

/** Resolves once it is in the list of workers. @throws CONFLICT where a worker of that name lives, STATE_UNAVAILABLE */
export async function startWorker(parts: WorkerParts): Promise<RunningWorker> {
  const { env, queue, record, leaseMs } = parts;
  await refuseNamesake(parts);
  const leases = openLeases(queue.claims, env, leaseMs);
  const alarm = createAlarm(parts.ledger, env);
  const closing = new AbortController();
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  failed.catch(() => undefined); // told by `ended`
  const describe = (): WorkerRecord => ({ ...record, running: leases.size });
  let order = await queue.fleet.announce(describe());

  const taking = queue.delivery.take({
    concurrency: record.concurrency,
    async onJob(job) {
      try {
        return await takeJob(parts, leases, alarm, job);
      } catch (error) {
        if (!isFatal(error)) throw error;
        fail(error);
        drain();
        return 'back';
      }
    },
    onFault: (error) => parts.onEvent({ event: 'server', text: error.message }),
  });
  let drained: Promise<void> | undefined;
  const drain = (): void => {
    drained ??= taking.close().finally(() => closing.abort());
  };
  const obey = (told: Order): void => {
    if (told === 'pause') taking.pause();
    if (told === 'go' && order === 'pause') taking.resume();
    if (told === 'drain') drain();
    if (told !== order) parts.onOrder(told);
    order = told;
  };
  if (order !== 'go') {
    const first = order;
    order = 'go';
    obey(first);
  }

  const beatMs = Math.max(20, Math.min(1000, leaseMs / 5));
  const beat = async (): Promise<void> => {
    for (;;) {
      await env.sleep(beatMs, closing.signal);
      // Side by side: an order that is slow to come must not cost a lease. What fails is tried at the next beat.
      const [, told] = await Promise.allSettled([leases.renew(), queue.fleet.announce(describe())]);
      if (told.status === 'fulfilled' && drained === undefined) obey(told.value);
    }
  };
  const beating = beat().catch(() => undefined); // by the end of `closing` alone
  const left = async (): Promise<void> => {
    await Promise.race([beating, failed.catch(() => undefined)]);
    await drained;
    await alarm.told();
    await queue.fleet.leave(record.name).catch(() => undefined); // the list forgets it in a while
    await Promise.race([failed, Promise.resolve()]);
  };
  return {
    ended: left(),
    drain,
    stop() {
      leases.stop();
      drain();
    },
  };
}

/** Two of one name would be ordered as one. */
async function refuseNamesake({ queue, record, mayLive }: WorkerParts): Promise<void> {
  const other = (await queue.fleet.list()).find(({ name }) => name === record.name);
  if (!other || other.silentMs > 10_000 || !mayLive(other)) return;
  throw new AgovError('CONFLICT', {
    what: `There is a worker "${record.name}" already: process ${other.pid} on ${other.host} since ${isoTime(other.since)}.`,
    fix: 'Give this one another name: --name NAME',
  });
}
