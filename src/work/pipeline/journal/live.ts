/**
 * The journal of a run as its driver keeps it. What the driver writes counts at once, so that the next thing can go into
 * the same transaction; each entry rests on the one before, so that none is in the ledger without all before it.
 */
import type { Ledger } from '../../../governance/ledger/index.ts';
import { type Env, type IdSource, isoTime } from '../../../kernel/index.ts';
import type { ArtifactRef, EntryDraft } from '../../../schemas/index.ts';
import type { RunBody, StageBody } from './entries.ts';
import { createFold, readRun, runKinds } from './fold.ts';
import type { RunState } from './state.ts';

export interface Written {
  readonly id: string;
  /** Resolves when it is on disk, and so is all that was written before it. */
  readonly recorded: Promise<void>;
}

export interface RunJournal {
  /** As of all that is known now. */
  readonly state: RunState;
  writeRun(body: RunBody): Written;
  writeStage(body: StageBody, rest: StageRest): Written;
  /** Looks for what others have written. True where there was anything. */
  catchUp(): boolean;
  /** Resolves when all that was written is on disk. @throws what kept an entry from it */
  settled(): Promise<void>;
}

export interface StageRest {
  readonly agent: string;
  readonly claim: string;
  readonly parent?: string;
  readonly artifacts?: readonly ArtifactRef[];
  /** An entry by another hand that may still be on its way: this one rests on it, too. */
  readonly rests?: Written | undefined;
}

export interface JournalParts {
  readonly ledger: Ledger;
  readonly env: Env;
  readonly ids: IdSource;
}

/** @throws NOT_FOUND */
export function openJournal({ ledger, env, ids }: JournalParts, run: string): RunJournal {
  const fold = createFold(run);
  const own = new Set<string>();
  let seen = -1;
  /** The newest of our own: what others write is on disk when we hear of it. */
  let last: string | undefined;
  let pending: Promise<void> = Promise.resolve();

  const catchUp = (): boolean => {
    let news = false;
    for (;;) {
      const entries = ledger.query({ kinds: runKinds, run, after: seen, limit: 1000 });
      for (const entry of entries) {
        seen = entry.seq;
        if (own.delete(entry.id)) continue;
        news = true;
        fold.add(entry);
      }
      if (entries.length < 1000) return news;
    }
  };

  const write = (draft: EntryDraft & { readonly id: string }, rests?: Written): Written => {
    const { id, kind, body, artifacts } = draft;
    const before = pending;
    const after = [last, rests?.id].filter((one) => one !== undefined);
    const appended = ledger.append(after.length === 0 ? draft : { ...draft, after });
    own.add(id);
    last = id;
    fold.add({ id, kind, body, at: isoTime(env.now()), ...(artifacts ? { artifacts } : {}) });
    // What went wrong first is what is told: all that rests on it says only that it is not there.
    const inOrder = async (): Promise<void> => {
      await before;
      await rests?.recorded;
      await appended;
    };
    const recorded = inOrder();
    pending = recorded;
    for (const one of [appended, recorded]) one.catch(() => undefined); // whoever waits for it or for `settled` gets it
    return { id, recorded };
  };

  if (!catchUp()) readRun(ledger, run); // says that there is none
  return {
    get state() {
      return fold.state;
    },
    writeRun: (body) => write({ kind: 'run', id: ids(), run, body: { ...body } }),
    writeStage: (body, { artifacts = [], rests, ...rest }) => {
      const kept = artifacts.length > 0 ? { artifacts: [...artifacts] } : {};
      return write({ ...{ kind: 'stage', id: ids(), run, body: { ...body }, ...rest }, ...kept }, rests);
    },
    catchUp,
    settled: () => pending,
  };
}
