/** `npm run bench -- context [--megabytes N] [--chunks N] [--directories N]`: what an agent needs to find its feet again, at a size of choice. */
import { benchMemory, type ContextSize, type MemoryBench } from './memory.ts';
import { benchStatus, type StatusBench } from './status.ts';

export type { ContextSize };

export interface ContextBench {
  readonly memory: MemoryBench;
  readonly status: StatusBench;
}

export async function benchContext(size: ContextSize & { readonly directories: number }): Promise<ContextBench> {
  return { memory: await benchMemory(size), status: await benchStatus(size.directories) };
}
