/**
 * Verifies a whole log: every entry against its leaf hash, its place and its columns, every tile against the entries,
 * and every signed head against the tree as it was at that size. Finds what was changed, added, moved, taken out or cut
 * off, and says where. What an attacker can do with the signing key, only a head saved out of their reach shows.
 */
import { checkEntry } from './check-entry.ts';
import { type GrowingTree, growTree, hashesAtLevel, tileWidth } from './growing-tree.ts';
import { type ExpectedHead, readHeads } from './heads.ts';
import { hashLeaf, hashLength, sameHash } from './merkle.ts';
import type { VerifierKey } from './note.ts';
import { maxProblems, type Problem, range, type VerifyReport } from './report.ts';
import type { LogSource, StoredEntry } from './source.ts';

export interface VerifyLogOptions {
  readonly keys: readonly VerifierKey[];
  /** Signed notes kept outside the log's reach; today's log must extend each. */
  readonly savedHeads?: readonly string[];
}

export function verifyLog(source: LogSource, { keys, savedHeads = [] }: VerifyLogOptions): VerifyReport {
  const { heads, problems: headProblems } = readHeads(source.heads(), savedHeads, keys);
  const problems: Problem[] = [...headProblems];
  const state = startWalk(source, problems);

  let next = 0;
  const meetHeads = (): void => {
    for (let head = heads[next]; head !== undefined && head.size === state.tree.size; head = heads[++next]) {
      meetHead(state, head);
    }
  };
  meetHeads();
  for (const entry of source.entries()) {
    if (problems.length >= maxProblems || !step(state, entry)) break;
    meetHeads();
  }
  finish(state, heads.slice(next), heads);

  const [first, ...rest] = problems;
  if (first !== undefined)
    return { ok: false, size: state.tree.size, problems: [first, ...rest.slice(0, maxProblems - 1)] };
  return {
    ok: true,
    origin: heads[0]?.origin ?? '',
    size: state.tree.size,
    root: Buffer.from(state.tree.root()).toString('hex'),
    heads: heads.length,
  };
}

interface Walk {
  readonly source: LogSource;
  readonly problems: Problem[];
  /** The tree over the leaf hashes as stored, where they are stored. */
  tree: GrowingTree;
  /** The same over hashes of the entries themselves, from the first that disagrees, until a head tells who is right. */
  recomputed: GrowingTree | undefined;
  disputed: { readonly seq: number; readonly stored: Uint8Array; readonly computed: Uint8Array }[];
  /** The size of the last head that held. */
  verified: number;
  /** False once the walk had to stop before the end. */
  whole: boolean;
  headDiffered: boolean;
}

function startWalk(source: LogSource, problems: Problem[]): Walk {
  const walk: Walk = {
    source,
    problems,
    tree: growTree(undefined, (...tile) => compareFullTile(walk, ...tile)),
    recomputed: undefined,
    disputed: [],
    verified: 0,
    whole: true,
    headDiffered: false,
  };
  return walk;
}

/** Takes one entry in. False when the log cannot be followed any further. */
function step(walk: Walk, entry: StoredEntry): boolean {
  const seq = walk.tree.size;
  if (entry.seq !== seq) {
    walk.problems.push(
      entry.seq > seq
        ? {
            kind: 'entry-missing',
            seq,
            to: entry.seq - 1,
            what: `${range(seq, entry.seq - 1)} missing: after ${seq - 1} comes ${entry.seq}.`,
          }
        : { kind: 'entry-misplaced', seq, what: `Position ${seq} is stored as ${entry.seq}.` },
    );
    walk.whole = false;
    return false;
  }
  const computed = hashLeaf(entry.bytes);
  const stored = entry.leaf ?? computed;
  if (!sameHash(stored, computed)) {
    walk.recomputed ??= walk.tree.fork();
    walk.disputed.push({ seq, stored: stored.slice(), computed });
  } else {
    // A changed entry is seldom still JSON; who changed what is settled first.
    walk.problems.push(...checkEntry(entry));
  }
  walk.tree.push(stored);
  walk.recomputed?.push(computed);
  return true;
}

function meetHead(walk: Walk, head: ExpectedHead): void {
  const holds = sameHash(walk.tree.root(), head.root);
  if (!holds && walk.recomputed && sameHash(walk.recomputed.root(), head.root)) {
    settle(walk, 'leaf-changed');
    walk.tree = walk.recomputed.fork((...tile) => compareFullTile(walk, ...tile));
    walk.recomputed = undefined;
    walk.verified = head.size;
    return;
  }
  settle(walk, 'entry-changed');
  walk.recomputed = undefined;
  if (holds) {
    walk.verified = head.size;
    return;
  }
  // After the first difference every later head differs as well; saved heads are each somebody's own question.
  if (walk.headDiffered && !head.saved) return;
  walk.headDiffered ||= !head.saved;
  const to = Math.max(head.size - 1, 0);
  const seq = Math.min(walk.verified, to);
  walk.problems.push({
    kind: 'head-differs',
    seq,
    to,
    size: head.size,
    saved: head.saved,
    what: `Among ${range(seq, to)} something differs from what the ${head.saved ? 'saved' : 'signed'} head of size ${head.size} was signed over.`,
    expected: Buffer.from(head.root).toString('hex'),
    found: Buffer.from(walk.tree.root()).toString('hex'),
  });
}

/** Reports the entries whose bytes and stored leaf hash disagree, now that it is known which of the two was touched. */
function settle(walk: Walk, kind: 'entry-changed' | 'leaf-changed'): void {
  for (const { seq, stored, computed } of walk.disputed.splice(0)) {
    const [expected, found] = kind === 'entry-changed' ? [stored, computed] : [computed, stored];
    walk.problems.push({
      kind,
      seq,
      what:
        kind === 'entry-changed'
          ? `The bytes of entry ${seq} are not those that were recorded.`
          : `The stored leaf hash of entry ${seq} is not that of its bytes.`,
      expected: Buffer.from(expected).toString('hex'),
      found: Buffer.from(found).toString('hex'),
    });
  }
}

function compareFullTile(walk: Walk, level: number, index: number, hashes: Uint8Array): void {
  if (hashes.length === tileWidth * hashLength) compareTile(walk, level, index, hashes);
}

function compareTile(walk: Walk, level: number, index: number, hashes: Uint8Array): void {
  // A tile above a changed leaf differs too; that says nothing new.
  if (level > 0 && (walk.problems.length > 0 || walk.disputed.length > 0)) return;
  const stored = walk.source.tile(level, index, hashes.length / hashLength);
  const at = firstDifference(hashes, stored);
  if (at === undefined) return;
  const seq = (index * tileWidth + at) * tileWidth ** level;
  // Where tiles are made of the stored leaf hashes, a changed one shows here again.
  const known = [...walk.disputed, ...walk.problems.filter(({ kind }) => kind === 'leaf-changed')];
  if (level === 0 && known.some((other) => other.seq === seq)) return;
  const hashAt = (bytes: Uint8Array): string =>
    Buffer.from(bytes.subarray(at * hashLength, (at + 1) * hashLength)).toString('hex');
  walk.problems.push({
    kind: 'tile-changed',
    seq,
    level,
    index,
    what: stored
      ? `Hash ${at} of tile ${index} at level ${level} is not that of the entries below it.`
      : `Tile ${index} at level ${level} is missing.`,
    expected: hashAt(hashes),
    ...(stored ? { found: hashAt(stored) } : {}),
  });
}

function firstDifference(hashes: Uint8Array, stored: Uint8Array | undefined): number | undefined {
  if (stored === undefined) return 0;
  if (sameHash(hashes, stored)) return undefined;
  for (let at = 0; at < hashes.length / hashLength; at++) {
    const from = at * hashLength;
    if (!sameHash(hashes.subarray(from, from + hashLength), stored.subarray(from, from + hashLength))) return at;
  }
  // All alike, so the stored tile is too long.
  return hashes.length / hashLength - 1;
}

/** What only the end shows: unfinished tiles, heads that promise more than there is, entries that no head covers. */
function finish(walk: Walk, beyond: readonly ExpectedHead[], heads: readonly ExpectedHead[]): void {
  settle(walk, 'entry-changed');
  const size = walk.tree.size;
  if (!walk.whole || walk.problems.length >= maxProblems) return;
  for (let level = 0; hashesAtLevel(size, level) > 0; level++) {
    const edge = walk.tree.edge(level);
    if (edge.length > 0) compareTile(walk, level, Math.floor(hashesAtLevel(size, level) / tileWidth), edge);
  }
  for (const saved of [false, true]) {
    const head = beyond.findLast((candidate) => candidate.saved === saved);
    if (head !== undefined) walk.problems.push(cutLog(size, head));
  }
  const newest = heads.findLast((head) => !head.saved);
  if (newest !== undefined && newest.size < size) {
    walk.problems.push({
      kind: 'entry-unsigned',
      seq: newest.size,
      to: size - 1,
      what: `No signed head covers ${range(newest.size, size - 1)}.`,
    });
  }
}

function cutLog(size: number, head: ExpectedHead): Problem {
  return {
    kind: 'log-cut',
    seq: size,
    to: head.size - 1,
    size: head.size,
    saved: head.saved,
    what: `The log ends before entry ${size}, but a ${head.saved ? 'saved' : 'signed'} head covers ${head.size} entries: ${range(size, head.size - 1)} missing.`,
    expected: String(head.size),
    found: String(size),
  };
}
