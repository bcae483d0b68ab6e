/**
 * The end of the log in memory: its tree, ready to grow, and its newest signed head. It is read back from the tables
 * whenever they may have moved on without us, and never believed unless our key has signed it.
 */
import { AgovError } from '../../../kernel/index.ts';
import { brokenLedger, type Reads, type Writes } from '../store/index.ts';
import {
  type GrowingTree,
  growTree,
  hashesAtLevel,
  openCheckpoint,
  parseNote,
  sameHash,
  tileWidth,
  type VerifierKey,
} from '../verifier/index.ts';
import { loadTail, type Tail } from './tail.ts';

export interface SignedHead {
  readonly origin: string;
  readonly size: number;
  /** Lower-case hex. */
  readonly root: string;
  /** The C2SP signed note: what to publish, and to keep elsewhere. */
  readonly note: string;
}

export interface Tip {
  readonly tree: GrowingTree;
  head: SignedHead;
  readonly tail: Tail;
  /** The facets that the unfinished block is known to have, so that they are written once. */
  readonly facets: Set<string>;
}

/** @throws AgovError LEDGER_BROKEN, KEY_INVALID: a log that is not ours to continue is never signed again */
export function loadTip(path: string, reads: Reads, writes: Writes, key: VerifierKey): Tip {
  const head = loadHead(path, reads, key);
  if (reads.size() !== head.size) {
    throw brokenLedger(path, `It holds ${reads.size()} entries, and its newest head covers ${head.size}.`);
  }
  const edges: Uint8Array[] = [];
  for (let level = 0; hashesAtLevel(head.size, level) > 0; level++) {
    const hashes = hashesAtLevel(head.size, level);
    const width = hashes % tileWidth;
    const edge = width === 0 ? new Uint8Array(0) : reads.tile(level, Math.floor(hashes / tileWidth), width);
    if (edge === undefined) throw brokenLedger(path, `The last tile of level ${level} is missing.`);
    edges.push(edge);
  }
  const tree = growTree({ size: head.size, edges }, writes.tile);
  if (!sameHash(tree.root(), Buffer.from(head.root, 'hex'))) {
    throw brokenLedger(path, `Its last entries are not those that the head of size ${head.size} was signed over.`);
  }
  return { tree, head, tail: loadTail(reads), facets: new Set() };
}

/** A tip that goes on by itself and stores no tiles, so that what was only tried leaves no trace in the other. */
export function forkTip({ tree, head, tail, facets }: Tip): Tip {
  return { tree: tree.fork(), head, tail: tail.fork(), facets: new Set(facets) };
}

/** The newest head of the tables, its signature verified. */
export function loadHead(path: string, reads: Reads, key: VerifierKey): SignedHead {
  const stored = reads.newestHead();
  if (stored === undefined) throw brokenLedger(path, 'It has no signed head.');
  const opened = openCheckpoint(stored.note, [key]);
  if (!opened.ok) {
    if (isSignedByOthersOnly(stored.note, key)) throw foreignKey(path, key);
    throw brokenLedger(path, `Its newest head does not hold. ${opened.why}`);
  }
  const { origin, size, root } = opened.value;
  if (size !== stored.size) throw brokenLedger(path, `Its head of size ${size} is stored as ${stored.size}.`);
  return { origin, size, root: Buffer.from(root).toString('hex'), note: stored.note };
}

function isSignedByOthersOnly(note: string, key: VerifierKey): boolean {
  const parsed = parseNote(note);
  return parsed.ok && !parsed.value.signatures.some(({ name, id }) => name === key.name && id === key.id);
}

function foreignKey(path: string, key: VerifierKey): AgovError {
  return new AgovError('KEY_INVALID', {
    what: `The ledger ${path} was not signed with the key ${key.name}+${key.id}.`,
    why: 'Continuing it with another key would break its history.',
    fix: 'Put back the key file (the pinned key, where ledger.transit is set) that this ledger was made with.',
  });
}
