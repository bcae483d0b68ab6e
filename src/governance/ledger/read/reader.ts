/** All that can be asked of a ledger without writing to it. */
import type { DatabaseSync } from 'node:sqlite';
import { AgovError } from '../../../kernel/index.ts';
import type { Entry } from '../../../schemas/index.ts';
import { loadHead, type SignedHead } from '../append/index.ts';
import { type Exported, type ExportProgress, exportLog, readWitness } from '../publish/index.ts';
import { brokenLedger, ledgerFault, type Reads } from '../store/index.ts';
import { consistencyProof, inclusionProof, type RangeHash, rangeHasher } from '../tree/index.ts';
import {
  emptyRoot,
  formatTlogProof,
  openCheckpoint,
  sameHash,
  type VerifierKey,
  type VerifyReport,
} from '../verifier/index.ts';
import { type EntryQuery, readEntry, search } from './search.ts';
import { type LedgerStats, readStats } from './stats.ts';
import { verifyStore } from './verify-store.ts';

export interface LedgerReader {
  readonly origin: string;
  get(seq: number): Entry | undefined;
  byId(id: string): Entry | undefined;
  /** The canonical JSON that the leaf hash is over. */
  bytes(seq: number): Uint8Array | undefined;
  query(query: EntryQuery): readonly Entry[];
  /** Ids of intents without an outcome, oldest first. */
  openIds(): readonly string[];
  /** The newest signed head, by whichever process. */
  head(): SignedHead;
  /** @throws AgovError LEDGER_BROKEN unless this log continues the one whose signed head is given */
  checkHead(note: string): void;
  /** A C2SP tlog-proof of the entry under the newest head. @throws AgovError NOT_FOUND */
  proveInclusion(seq: number): string;
  /** RFC 6962 hashes that show the log of `oldSize` to be a prefix of that of `newSize`. @throws AgovError INPUT_INVALID */
  proveConsistency(oldSize: number, newSize: number): readonly Uint8Array[];
  /** Writes C2SP tlog-tiles into `dir`: checkpoint, tiles and entry bundles. */
  exportTo(dir: string, onProgress?: ExportProgress): Promise<Exported>;
  /** Reads everything once. `savedHead` is a signed note kept elsewhere, which today's log must extend. */
  verify(savedHead?: string): VerifyReport;
  stats(): LedgerStats;
}

export interface ReaderOptions {
  readonly path: string;
  readonly db: DatabaseSync;
  readonly reads: Reads;
  readonly key: VerifierKey;
  /** File with the newest head as last seen, outside the project. */
  readonly witness?: string | undefined;
}

export function createReader({ path, db, reads, key, witness }: ReaderOptions): LedgerReader {
  /** What SQLite or the file system throws becomes an AgovError. */
  const guarded = <T>(ask: () => T): T => {
    try {
      return ask();
    } catch (error) {
      throw ledgerFault(error, path);
    }
  };
  const head = (): SignedHead => guarded(() => loadHead(path, reads, key));

  return {
    origin: key.name,
    get: (seq) => guarded(() => optional(reads.entry(seq), (row) => readEntry(path, row))),
    byId: (id) => guarded(() => optional(reads.entryById(id), (row) => readEntry(path, row))),
    bytes: (seq) => guarded(() => reads.entry(seq)?.bytes),
    query: (query) => guarded(() => search(path, reads, query)),
    openIds: () => guarded(() => reads.openIds()),
    head,
    checkHead: (note) => checkSavedHead(path, reads, key, head().size, note),
    proveInclusion(seq) {
      const { size, note } = head();
      if (!Number.isSafeInteger(seq) || seq < 0 || seq >= size) {
        throw new AgovError('NOT_FOUND', { what: `The ledger has no entry ${seq}.`, why: `It holds ${size} entries.` });
      }
      const hashes = guarded(() => inclusionProof(seq, size, storedRanges(path, reads, size)));
      return formatTlogProof({ index: seq, hashes, checkpoint: note });
    },
    proveConsistency(oldSize, newSize) {
      const { size } = head();
      if (![oldSize, newSize].every(Number.isSafeInteger) || oldSize < 0 || oldSize > newSize || newSize > size) {
        throw new AgovError('INPUT_INVALID', {
          what: `No consistency proof leads from size ${oldSize} to ${newSize}.`,
          fix: `Name two sizes up to ${size}, the smaller first.`,
        });
      }
      return guarded(() => consistencyProof(oldSize, newSize, storedRanges(path, reads, newSize)));
    },
    async exportTo(dir, onProgress) {
      try {
        return await exportLog({ path, reads, head: head(), dir, onProgress });
      } catch (error) {
        throw ledgerFault(error, path);
      }
    },
    verify: (savedHead) =>
      guarded(() => {
        const saved = [savedHead, witness === undefined ? undefined : readWitness(witness)];
        const savedHeads = saved.filter((note) => note !== undefined);
        // One snapshot, or an append of another process in the middle would look like tampering.
        return inSnapshot(db, () => verifyStore({ path, db, reads, key, savedHeads }));
      }),
    stats: () => guarded(() => readStats(path, db, reads.openIds().length)),
  };
}

export function inSnapshot<T>(db: DatabaseSync, read: () => T): T {
  db.exec('BEGIN');
  try {
    return read();
  } finally {
    db.exec('ROLLBACK');
  }
}

/** @throws AgovError LEDGER_BROKEN when today's log is not a continuation of the one whose head was saved */
export function checkSavedHead(path: string, reads: Reads, key: VerifierKey, size: number, note: string): void {
  const opened = openCheckpoint(note, [key]);
  if (!opened.ok) throw brokenLedger(path, `The head saved outside the project does not hold. ${opened.why}`);
  const saved = opened.value;
  if (saved.size > size) {
    throw brokenLedger(path, `It holds ${size} entries, but a head saved outside the project covers ${saved.size}.`);
  }
  const root = saved.size === 0 ? emptyRoot() : storedRanges(path, reads, size)(0, saved.size);
  if (!sameHash(root, saved.root)) {
    throw brokenLedger(path, `Its first ${saved.size} entries are not those of the head saved outside the project.`);
  }
}

function storedRanges(path: string, reads: Reads, size: number): RangeHash {
  return rangeHasher(size, (level, index, width) => {
    const hashes = reads.tile(level, index, width);
    if (hashes?.length !== width * 32) throw brokenLedger(path, `Tile ${index} of level ${level} is missing or cut.`);
    return hashes;
  });
}

function optional<T, U>(value: T | undefined, map: (value: T) => U): U | undefined {
  return value === undefined ? undefined : map(value);
}
