import { type BullmqBench, benchBullmq } from './bullmq.ts';
import { benchEmbedded, type EmbeddedBench } from './embedded.ts';

export interface PipelineBench {
  readonly embedded: EmbeddedBench;
  /** Undefined where no redis-server is installed. */
  readonly bullmq: BullmqBench | undefined;
}

export async function benchPipeline(): Promise<PipelineBench> {
  return { embedded: await benchEmbedded(), bullmq: await benchBullmq() };
}
