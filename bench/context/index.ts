/** `npm run bench -- context [--megabytes N] [--chunks N]`: what an agent needs to find its feet again, at a size of choice. */
import { benchMemory, type ContextSize, type MemoryBench } from './memory.ts';

export type { ContextSize };

export interface ContextBench {
  readonly memory: MemoryBench;
}

export async function benchContext(size: ContextSize): Promise<ContextBench> {
  return { memory: await benchMemory(size) };
}
