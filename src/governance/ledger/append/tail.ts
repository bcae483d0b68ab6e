/**
 * The entries that are not in the indexes yet, by what an append must know of them: which ids are taken and which entries
 * are open. Holds for as long as nobody else appends, like the tip that it is part of.
 */
import type { Reads } from '../store/index.ts';

export interface Tail {
  add(seq: number, id: string, opens: boolean, closes: string | undefined): void;
  /** Whether any of its entries opens or closes one. */
  moves(): boolean;
  /** Forgets the entries before `seq`, which the indexes have now. */
  cut(seq: number): void;
  isOpen(id: string): boolean;
  /** `made`: the id is a UUIDv7 of ours, not one that a caller chose. */
  isTaken(id: string, made: boolean): boolean;
  /** A tail that begins as this one is now, and goes on by itself. */
  fork(): Tail;
}

/** The numbers of entries by what is looked for: their own id, the one that they open, the one that they close. */
interface Found {
  readonly ids: Map<string, number>;
  readonly opened: Map<string, number>;
  readonly closed: Map<string, number>;
  readonly last: number;
  readonly greatest: string;
}

export function loadTail(reads: Reads): Tail {
  const none = { ids: new Map(), opened: new Map(), closed: new Map(), last: -1 };
  const tail = tailOf(reads, { ...none, greatest: reads.greatestIndexedId() ?? '' });
  for (const { seq, id, opens, closes } of reads.tail()) tail.add(seq, id, opens === 1, closes ?? undefined);
  return tail;
}

function tailOf(reads: Reads, found: Found): Tail {
  const { ids, opened, closed } = found;
  let { last, greatest } = found;
  return {
    add(seq, id, opens, closes) {
      last = seq;
      ids.set(id, seq);
      if (opens) opened.set(id, seq);
      if (closes !== undefined) closed.set(closes, seq);
      if (id > greatest) greatest = id;
    },
    moves: () => opened.size + closed.size > 0,
    cut(seq) {
      for (const map of [ids, opened, closed]) {
        if (last < seq) map.clear();
        else for (const [id, at] of map) if (at < seq) map.delete(id);
      }
    },
    isOpen: (id) => !closed.has(id) && (opened.has(id) || reads.wasOpen(id)),
    isTaken(id, made) {
      // Ours grow, so that nearly all are above every other. Ids that others chose need not be ASCII, whose order is the
      // same here and in SQLite, and are always looked up.
      if (made && id > greatest) return false;
      return ids.has(id) || reads.isIndexed(id);
    },
    fork: () => tailOf(reads, { ids: new Map(ids), opened: new Map(opened), closed: new Map(closed), last, greatest }),
  };
}
