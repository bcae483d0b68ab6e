/** Yields entries as they are appended, by this process or any other. */
import type { Env } from '../../../kernel/index.ts';
import type { Entry } from '../../../schemas/index.ts';

/** How often other processes' appends are looked for; ours are seen at once. */
const pollMs = 50;
const entriesAtOnce = 256;

export interface Followed {
  readonly env: Env;
  readonly lastSeq: () => number;
  readonly after: (seq: number, limit: number) => readonly Entry[];
  readonly dataVersion: () => number;
  /** Aborts when the ledger is closed. */
  readonly closing: AbortSignal;
  /** Calls `listener` after each commit of this process. */
  readonly onCommit: (listener: () => void) => Disposable;
}

/** Entries after `after` (by default: from now on) until either signal aborts. */
export function follow(log: Followed, signal: AbortSignal, after?: number): AsyncIterable<Entry> {
  // Taken here, not at the first `next()`: from now on means from this call on.
  const start = after ?? log.lastSeq();
  return run(log, AbortSignal.any([signal, log.closing]), start);
}

async function* run(log: Followed, signal: AbortSignal, start: number): AsyncGenerator<Entry> {
  let seen = start;
  while (!signal.aborted) {
    const version = log.dataVersion();
    const entries = log.after(seen, entriesAtOnce);
    for (const entry of entries) {
      if (signal.aborted) return;
      seen = entry.seq;
      yield entry;
    }
    if (entries.length === 0) await change(log, signal, version);
  }
}

/** Resolves when there may be more to read, or nothing more to wait for. */
async function change(log: Followed, signal: AbortSignal, version: number): Promise<void> {
  const wake = new AbortController();
  using _ = log.onCommit(() => wake.abort());
  const either = AbortSignal.any([signal, wake.signal]);
  while (!either.aborted && log.dataVersion() === version) {
    await log.env.sleep(pollMs, either).catch(() => {
      // Aborted: woken by a commit or told to stop, which the loop's condition tells apart.
    });
  }
}
