/** Gathers the appends of one turn of the event loop into one transaction, and so one fsync for all of them. */
import { type AgovError, isAgovError } from '../../../kernel/index.ts';
import type { EntryDraft } from '../../../schemas/index.ts';
import { ledgerFault } from '../store/index.ts';
import type { Answers, Append, Receipt } from './commit.ts';
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
  readonly commit: (batch: readonly Append[]) => Promise<Answers>;
  /** Whether what waits behind a failed batch fails with it: what would have it wait as long again. */
  readonly failTogether: boolean;
  readonly ids: () => string;
  readonly onCommit: () => void;
}

interface Waiting extends Append {
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: AgovError) => void;
}

export function createQueue({ path, commit, failTogether, ids, onCommit }: AppendQueueOptions): AppendQueue {
  const waiting: Waiting[] = [];
  let draining: Promise<void> | undefined;

  const drainOnce = async (): Promise<void> => {
    const batch = waiting.length > maxBatch ? waiting.splice(0, maxBatch) : waiting.splice(0);
    let answers: Answers;
    try {
      answers = await commit(batch);
    } catch (error) {
      const fault = ledgerFault(error, path);
      for (const { reject } of failTogether ? [...batch, ...waiting.splice(0)] : batch) reject(fault);
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
