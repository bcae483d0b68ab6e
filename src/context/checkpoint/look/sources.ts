/** Where the parts of a checkpoint come from that this folder cannot look at by itself; whoever composes it fills them in. */
import { messageOf } from '../../../kernel/index.ts';
import type { Part, PartValue } from '../format/parts.ts';

export interface Sources {
  status(): Promise<PartValue<'status'>>;
  work(): Promise<PartValue<'work'>>;
  agents(): Promise<PartValue<'agents'>>;
  /** Entries after the one named, or the newest few. */
  memory(after: string | undefined): Promise<PartValue<'memory'>>;
  ledger(): Promise<PartValue<'ledger'>>;
  environment(): Promise<PartValue<'environment'>>;
}

/** What cannot be had says why: a checkpoint of the rest is worth having. */
export async function partOf<T>(look: () => Promise<T>): Promise<Part<T>> {
  try {
    return { ok: true, value: await look() };
  } catch (error) {
    return { ok: false, why: messageOf(error).slice(0, 500) };
  }
}
