/**
 * The append-only, tamper-evident record. A receipt means that the entry is on disk, in the tree, and under a head
 * signed in the same transaction. Several processes may append to one ledger at once.
 */
import type { DatabaseSync } from 'node:sqlite';
import { AgovError, type Env, type IdSource } from '../../kernel/index.ts';
import type { Entry, EntryDraft } from '../../schemas/index.ts';
import {
  createCommitter,
  createQueue,
  headText,
  isRemote,
  loadTip,
  openSigning,
  type Receipt,
  type Signing,
} from './append/index.ts';
import type { SigningKey } from './key/index.ts';
import { readWitness, writeWitness } from './publish/index.ts';
import { type Followed, follow } from './read/follow.ts';
import { checkSavedHead, createReader, inSnapshot, type LedgerReader } from './read/reader.ts';
import { search } from './read/search.ts';
import {
  type DatabaseOptions,
  keepWalShort,
  ledgerFault,
  openForReading,
  openForWriting,
  type Reads,
  readStatements,
  writeStatements,
} from './store/index.ts';
import { growTree, parseNote, type VerifierKey } from './verifier/index.ts';

export interface Ledger extends LedgerReader, AsyncDisposable {
  /**
   * Resolves once the entry is durable. Appends of one turn of the event loop share one fsync.
   * @throws AgovError LEDGER_CLAIMED, CONFLICT, ENTRY_TOO_LARGE, INPUT_INVALID for this append alone; DISK_FULL,
   * NOT_WRITABLE, LEDGER_UNAVAILABLE, LEDGER_BROKEN, KEY_INVALID for all that shared its transaction
   */
  append(draft: EntryDraft): Promise<Receipt>;
  /**
   * Has the newest head signed once more where the key is elsewhere, and keeps nothing of it. For a look at whether appends
   * would work: the same text under the same key has the same signature, so that nothing new is signed.
   * @throws AgovError what `append` would
   */
  trySigning(): Promise<void>;
  /** Entries after `after` (by default: from now on), also of other processes, until the signal aborts. */
  follow(signal: AbortSignal, after?: number): AsyncIterable<Entry>;
}

interface CommonOptions {
  readonly path: string;
  readonly env: Env;
  /** A file outside the project that keeps the newest head, so that a cut log is noticed. */
  readonly witness?: string;
  /** How long to wait for other processes, in milliseconds; by default 10,000. */
  readonly busyMs?: number;
}

export type LedgerOptions =
  | (CommonOptions & { readonly readOnly?: false; readonly key: SigningKey; readonly ids: IdSource })
  | (CommonOptions & { readonly readOnly: true; readonly key: VerifierKey });

/**
 * A new one with a key elsewhere is made once that key has signed its first head.
 * @throws AgovError LEDGER_BROKEN, LEDGER_NEWER, LEDGER_UNAVAILABLE, KEY_INVALID, NOT_FOUND, NOT_WRITABLE, DISK_FULL
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  return options.readOnly ? openReadOnly(options) : await openWritable(options);
}

function openReadOnly({ path, env, key, witness }: Extract<LedgerOptions, { readOnly: true }>): Ledger {
  const db = openForReading(path);
  const reads = readStatements(db);
  const closing = new AbortController();
  return {
    ...createReader({ path, db, reads, key, witness }),
    append: () => Promise.reject(readOnlyLedger(path)),
    trySigning: () => Promise.reject(readOnlyLedger(path)),
    follow: (signal, after) =>
      follow(followed({ path, env, reads, closing, onCommit: () => new DisposableStack() }), signal, after),
    async [Symbol.asyncDispose]() {
      closing.abort();
      if (db.isOpen) db.close();
    },
  };
}

async function openWritable(options: Exclude<LedgerOptions, { readOnly: true }>): Promise<Ledger> {
  const { path, env, key, ids, witness, busyMs = 10_000 } = options;
  const db = await openFile({ path, env, busyMs }, key);
  const reads = readStatements(db);
  const writes = writeStatements(db);
  let signing: Signing;
  try {
    // Read before the snapshot: another process may append and save a head at any time, and a head that is newer than
    // the snapshot would look like a log that was cut.
    const saved = witness === undefined ? undefined : readWitness(witness);
    inSnapshot(db, () => {
      const { head } = loadTip(path, reads, writes, key);
      if (saved !== undefined) checkSavedHead(path, reads, key, head.size, saved);
    });
    signing = openSigning({ path, key, env, busyMs, committer: createCommitter({ path, reads, writes, key }) });
  } catch (error) {
    db.close();
    throw ledgerFault(error, path);
  }

  const reader = createReader({ path, db, reads, key, witness });
  const witnessed = keepWitness(reader, witness, env);
  const wal = keepWalShort(db, env, witnessed);
  const listeners = new Set<() => void>();
  const queue = createQueue({
    ...{ path, ids, commit: signing.commit, failTogether: signing.failTogether },
    onCommit: () => {
      wal.noteCommit();
      for (const listener of listeners) listener();
    },
  });
  const closing = new AbortController();
  const onCommit = (listener: () => void): Disposable => {
    listeners.add(listener);
    return { [Symbol.dispose]: () => listeners.delete(listener) };
  };

  return {
    ...reader,
    append: (draft) => (closing.signal.aborted ? Promise.reject(closedLedger(path)) : queue.append(draft)),
    async trySigning() {
      const head = parseNote(reader.head().note);
      if (isRemote(key) && head.ok) await key.signElsewhere(head.value.text);
    },
    follow: (signal, after) => follow(followed({ path, env, reads, closing, onCommit }), signal, after),
    async [Symbol.asyncDispose]() {
      closing.abort();
      await queue.drained();
      wal[Symbol.dispose]();
      signing[Symbol.dispose]();
      if (!db.isOpen) return;
      witnessed();
      db.close();
    },
  };
}

/** Opens the file, and makes it under a signed head of size 0 where there is none. */
async function openFile(options: DatabaseOptions, key: SigningKey): Promise<DatabaseSync> {
  const text = headText(growTree(), key.name);
  const unsigned = new AgovError('LEDGER_UNAVAILABLE', { what: `The ledger ${options.path} has no first head yet.` });
  const open = (noteOf: () => string): Promise<DatabaseSync> =>
    openForWriting(options, (fresh) => writeStatements(fresh).head(0, noteOf(), -1));
  if (!isRemote(key)) return open(() => key.sign(text));
  try {
    return await open(() => {
      throw unsigned;
    });
  } catch (error) {
    if (error !== unsigned) throw error;
  }
  const note = await key.signElsewhere(text);
  return open(() => note);
}

/** Writes the newest head to the witness file when it is not there yet. */
function keepWitness(reader: LedgerReader, witness: string | undefined, env: Env): () => void {
  let written = '';
  return () => {
    if (witness === undefined) return;
    try {
      const { note } = reader.head();
      if (note === written) return;
      writeWitness(witness, note, env);
      written = note;
    } catch {
      // It is a second line of defence: without it the record itself is as good, and verifying uses the older head.
    }
  };
}

interface FollowedParts {
  readonly path: string;
  readonly env: Env;
  readonly reads: Reads;
  readonly closing: AbortController;
  readonly onCommit: Followed['onCommit'];
}

function followed({ path, env, reads, closing, onCommit }: FollowedParts): Followed {
  return {
    env,
    onCommit,
    closing: closing.signal,
    lastSeq: () => reads.size() - 1,
    after: (seq, limit) => search(path, reads, { after: seq, limit }),
    dataVersion: () => reads.dataVersion(),
  };
}

function readOnlyLedger(path: string): AgovError {
  return new AgovError('NOT_WRITABLE', { what: `The ledger ${path} was opened for reading only.` });
}

function closedLedger(path: string): AgovError {
  return new AgovError('LEDGER_UNAVAILABLE', { what: `The ledger ${path} has been closed.` });
}
