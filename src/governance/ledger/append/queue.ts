/** Gathers the appends of one turn of the event loop into one transaction, and so one fsync for all of them. */
import { type AgovError, type Env, isAgovError } from '../../../kernel/index.ts';
import type { EntryDraft } from '../../../schemas/index.ts';
import { isBusy, ledgerFault } from '../store/index.ts';
import type { Append, Committer, Receipt } from './commit.ts';
import { entryText } from './entry-text.ts';

/** Bounds how long one transaction keeps other processes out. */
const maxBatch = 1024;

export interface AppendQueue {
  append(draft: EntryDraft): Promise<Receipt>;
  /** Resolves when everything appended so far has been answered. */
  drained(): Promise<void>;
}

export interface AppendQueueOptions {
  readonly path: string;
  readonly committer: Committer;
  readonly env: Env;
  readonly ids: () => string;
  readonly busyMs: number;
  readonly onCommit: () => void;
}

interface Waiting extends Append {
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: AgovError) => void;
}

export function createQueue({ path, committer, env, ids, busyMs, onCommit }: AppendQueueOptions): AppendQueue {
  const waiting: Waiting[] = [];
  let draining: Promise<void> | undefined;

  const commitPatiently = async (batch: readonly Waiting[]): Promise<(Receipt | AgovError)[]> => {
    const deadline = env.monotonic() + busyMs;
    for (;;) {
      try {
        return committer.commit(batch);
      } catch (error) {
        if (!isBusy(error) || env.monotonic() > deadline) throw error;
      }
      // A varying wait, so that processes which met once do not meet for ever.
      await env.sleep(1 + ((env.random(1)[0] ?? 0) % 16));
    }
  };

  const drainOnce = async (): Promise<void> => {
    const batch = waiting.length > maxBatch ? waiting.splice(0, maxBatch) : waiting.splice(0);
    let answers: readonly (Receipt | AgovError)[];
    try {
      answers = await commitPatiently(batch);
    } catch (error) {
      const fault = ledgerFault(error, path);
      for (const { reject } of batch) reject(fault);
      return;
    }
    for (const [i, { resolve, reject }] of batch.entries()) {
      // One answer an append, in order.
      const answer = answers[i] as Receipt | AgovError;
      if (isAgovError(answer)) reject(answer);
      else resolve(answer);
    }
    onCommit();
  };

  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      // Let all of this turn's appends come in before the transaction starts.
      await new Promise((resolve) => setImmediate(resolve));
      await drainOnce();
    }
    draining = undefined;
  };

  return {
    append(draft) {
      return new Promise((resolve, reject) => {
        const id = draft.id ?? ids();
        waiting.push({ draft, id, text: entryText(draft, id), resolve, reject });
        draining ??= drain();
      });
    },
    async drained() {
      await draining;
    },
  };
}
