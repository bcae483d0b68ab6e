/** `npm run bench -- context [--megabytes N] [--chunks N] [--directories N]`: what an agent needs to find its feet again, at a size of choice. */
import { benchMemory, type ContextSize, type MemoryBench } from './memory.ts';
import { benchStatus, type StatusBench } from './status.ts';
import { benchSummaries, type SummariesBench } from './summaries.ts';

export type { ContextSize };

export interface ContextBench {
  readonly memory: MemoryBench;
  readonly summaries: SummariesBench;
  readonly status: StatusBench;
}

export async function benchContext(size: ContextSize & { readonly directories: number }): Promise<ContextBench> {
  return {
    summaries: benchSummaries(),
    memory: await benchMemory(size),
    status: await benchStatus(size.directories),
  };
}
