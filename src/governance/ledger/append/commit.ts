/**
 * Writes one batch of appends in one transaction: entries, tree, claims and the head signed over them all. A refused
 * append leaves no trace and takes no number; a failed batch leaves nothing at all.
 */
import { hash } from 'node:crypto';
import { AgovError, isoTime } from '../../../kernel/index.ts';
import { type EntryDraft, maxEntryBytes } from '../../../schemas/index.ts';
import { blockSize, type Reads, tailStart, type Writes } from '../store/index.ts';
import { formatCheckpoint, type GrowingTree, type VerifierKey } from '../verifier/index.ts';
import type { EntryText } from './entry-text.ts';
import type { Tail } from './tail.ts';
import { forkTip, loadTip, type SignedHead, type Tip } from './tip.ts';

export interface Receipt {
  readonly seq: number;
  readonly id: string;
  /** RFC 3339 UTC with milliseconds. */
  readonly at: string;
  /** The RFC 6962 leaf hash of the entry, in lower-case hex. */
  readonly leaf: string;
}

export interface Append {
  readonly draft: EntryDraft;
  readonly id: string;
  readonly text: EntryText;
}

/** One an append, in order. */
export type Answers = readonly (Receipt | AgovError)[];

export interface Committer {
  /**
   * All durable when it returns. `sign` makes the note of a head's text; where all are refused there is none to sign.
   * Throws, with nothing kept, when the batch as a whole failed.
   */
  commit(batch: readonly Append[], now: number, sign: (text: string) => string): Answers;
  /** What `commit` would have signed, if anything, with nothing kept. */
  rehearse(batch: readonly Append[], now: number): string | undefined;
}

export interface CommitterOptions {
  readonly path: string;
  readonly reads: Reads;
  readonly writes: Writes;
  readonly key: VerifierKey;
}

export function createCommitter({ path, reads, writes, key }: CommitterOptions): Committer {
  let tip: Tip | undefined;
  // One byte before the entry for the leaf prefix, and room after it to see that it is too long.
  const scratch = Buffer.alloc(1 + maxEntryBytes + 4);

  const current = (): Tip => {
    // Another process may have appended since; its head is in the same transaction as its entries.
    if (tip === undefined || tip.head.size !== reads.headSize()) tip = loadTip(path, reads, writes, key);
    return tip;
  };

  const writeEntry = (append: Append, now: number, at: string, { tree, tail, facets }: Tip): Receipt | AgovError => {
    const { draft, id, text } = append;
    const seq = tree.size;
    const length = scratch.write(`${text.beforeAt}${at}${text.beforeSeq}${seq}${text.end}`, 1);
    const refusal = refuse(append, length, reads, tail);
    if (refusal) return refusal;
    const leafHex = hash('sha256', scratch.subarray(0, length + 1), 'hex');
    const leaf = Buffer.from(leafHex, 'hex');
    const { parent, kind, run, agent, opens = false, closes } = draft;
    const bytes = scratch.subarray(1, length + 1);
    writes.entry({ seq, id, parent, kind, run, agent, at: now, leaf, bytes, opens, closes });
    if (draft.claim !== undefined) writes.claim(draft.claim, seq);
    tail.add(seq, id, opens, closes);
    tree.push(leaf);
    noteFacets(draft, seq, facets, writes);
    return { seq, id, at, leaf: leafHex };
  };

  const writeBatch = (batch: readonly Append[], now: number, to: Tip): Answers => {
    const at = isoTime(now);
    const answers = batch.map((append) => writeEntry(append, now, at, to));
    const [from, end] = [tailStart(to.head.size), tailStart(to.tree.size)];
    if (end > from) {
      writes.index(from, end, to.tail.moves());
      to.tail.cut(end);
    }
    return answers;
  };

  return {
    commit(batch, now, sign) {
      writes.begin();
      try {
        const to = current();
        const answers = writeBatch(batch, now, to);
        const head = to.tree.size === to.head.size ? to.head : signHead(to.tree, key.name, sign);
        if (head !== to.head) writes.head(head.size, head.note, to.head.size);
        writes.commit();
        to.head = head;
        return answers;
      } catch (error) {
        // The tree in memory may be ahead of the tables now: the next batch reads it back.
        tip = undefined;
        writes.rollback();
        throw error;
      }
    },
    rehearse(batch, now) {
      writes.begin();
      try {
        const to = forkTip(current());
        writeBatch(batch, now, to);
        return to.tree.size === to.head.size ? undefined : headText(to.tree, key.name);
      } finally {
        writes.rollback();
      }
    },
  };
}

/** What is signed of a tree. */
export function headText(tree: GrowingTree, origin: string): string {
  return formatCheckpoint({ origin, size: tree.size, root: tree.root() });
}

function signHead(tree: GrowingTree, origin: string, sign: (text: string) => string): SignedHead {
  const root = tree.root();
  const note = sign(formatCheckpoint({ origin, size: tree.size, root }));
  return { origin, size: tree.size, root: Buffer.from(root).toString('hex'), note };
}

function refuse({ draft, id }: Append, length: number, reads: Reads, tail: Tail): AgovError | undefined {
  const { claim, closes, after = [] } = draft;
  if (length > maxEntryBytes) {
    return new AgovError('ENTRY_TOO_LARGE', {
      what: 'The ledger entry is over 65,535 bytes.',
      fix: 'Put the content into an artifact and record its hash.',
    });
  }
  if (claim !== undefined && reads.isClaimed(claim)) {
    return new AgovError('LEDGER_CLAIMED', {
      what: `"${claim}" has been claimed before.`,
      why: 'The ledger accepts a claim once for ever.',
    });
  }
  if (closes !== undefined && !tail.isOpen(closes)) {
    return new AgovError('LEDGER_CLAIMED', {
      what: `Entry ${closes} is not open.`,
      why: 'It was never opened, or somebody else has closed it.',
    });
  }
  const missing = after.find((one) => !tail.isTaken(one, false));
  if (missing !== undefined) {
    return new AgovError('CONFLICT', {
      what: `Entry ${missing} is not in the ledger.`,
      why: 'What rests on it was not written either.',
    });
  }
  if (tail.isTaken(id, draft.id === undefined)) {
    return new AgovError('CONFLICT', { what: `An entry with the id ${id} exists already.` });
  }
  return undefined;
}

function noteFacets({ kind, run, agent }: EntryDraft, seq: number, known: Set<string>, writes: Writes): void {
  if (seq % blockSize === 0) known.clear();
  noteFacet(`k/${kind}`, seq, known, writes);
  if (run !== undefined) noteFacet(`r/${run}`, seq, known, writes);
  if (agent !== undefined) noteFacet(`a/${agent}`, seq, known, writes);
}

function noteFacet(facet: string, seq: number, known: Set<string>, writes: Writes): void {
  if (known.has(facet)) return;
  writes.facet(facet, seq);
  known.add(facet);
}
