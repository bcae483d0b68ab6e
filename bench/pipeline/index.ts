import { benchEmbedded, type EmbeddedBench } from './embedded.ts';

export interface PipelineBench {
  readonly embedded: EmbeddedBench;
}

export async function benchPipeline(): Promise<PipelineBench> {
  return { embedded: await benchEmbedded() };
}
