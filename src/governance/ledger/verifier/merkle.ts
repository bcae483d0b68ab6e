/**
 * The Merkle tree of RFC 6962 section 2.1 over SHA-256. Leaves are hashed under 0x00 and nodes under 0x01, so that no
 * node can pass for an entry. Proofs are checked by the algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2.
 */
import { hash } from 'node:crypto';

export const hashLength = 32;

/** By way of hex, since a new Buffer from node:crypto costs as much again as the hash. */
export function sha256(input: Uint8Array): Uint8Array {
  return Buffer.from(hash('sha256', input, 'hex'), 'hex');
}

/** The root of the tree without leaves: the hash of nothing. */
export function emptyRoot(): Uint8Array {
  return sha256(new Uint8Array(0));
}

export function hashLeaf(entry: Uint8Array): Uint8Array {
  const input = new Uint8Array(entry.length + 1);
  input.set(entry, 1);
  return sha256(input);
}

export function hashNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + 2 * hashLength);
  input[0] = 1;
  input.set(left, 1);
  input.set(right, 1 + hashLength);
  return sha256(input);
}

/** The largest power of two below `size`, where a tree of `size` > 1 leaves splits in two. */
export function splitPoint(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

/** The root of the tree over `leaves`, which are leaf hashes. */
export function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves;
  if (first === undefined) return emptyRoot();
  if (leaves.length === 1) return first;
  const k = splitPoint(leaves.length);
  return hashNode(rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

export interface InclusionClaim {
  /** The leaf's hash. */
  readonly leaf: Uint8Array;
  /** The leaf's position, from 0. */
  readonly index: number;
  readonly size: number;
  readonly root: Uint8Array;
  /** From the leaf's sibling up to a child of the root. */
  readonly proof: readonly Uint8Array[];
}

/** Whether the leaf is at `index` in the tree of `size` leaves under `root`. */
export function verifyInclusion({ leaf, index, size, root, proof }: InclusionClaim): boolean {
  if (!isCount(index) || !isCount(size) || index >= size) return false;
  if (![leaf, root, ...proof].every(isHash)) return false;
  const walk = { low: index, last: size - 1 };
  let node = leaf;
  for (const sibling of proof) {
    if (walk.last === 0) return false;
    if (isOdd(walk.low) || walk.low === walk.last) {
      node = hashNode(sibling, node);
      skipLoneLevels(walk);
    } else {
      node = hashNode(node, sibling);
    }
    up(walk);
  }
  return walk.last === 0 && sameHash(node, root);
}

export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly oldRoot: Uint8Array;
  readonly newSize: number;
  readonly newRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** Whether the old tree is a prefix of the new one. The tree of size 0 is a prefix of every tree. */
export function verifyConsistency({ oldSize, oldRoot, newSize, newRoot, proof }: ConsistencyClaim): boolean {
  if (!isCount(oldSize) || !isCount(newSize) || oldSize > newSize) return false;
  if (oldSize === newSize) return proof.length === 0 && sameHash(oldRoot, newRoot);
  if (oldSize === 0) return proof.length === 0;
  if (proof.length === 0 || !proof.every(isHash)) return false;

  const [first, ...rest] = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : proof;
  const walk = { low: oldSize - 1, last: newSize - 1 };
  while (isOdd(walk.low)) up(walk);
  if (first === undefined || !isHash(first)) return false;
  let older = first;
  let newer = first;
  for (const sibling of rest) {
    if (walk.last === 0) return false;
    if (isOdd(walk.low) || walk.low === walk.last) {
      older = hashNode(sibling, older);
      newer = hashNode(sibling, newer);
      skipLoneLevels(walk);
    } else {
      newer = hashNode(newer, sibling);
    }
    up(walk);
  }
  return walk.last === 0 && sameHash(older, oldRoot) && sameHash(newer, newRoot);
}

/** A node's position and that of the last node on its level; both halve on the way up. */
interface Walk {
  low: number;
  last: number;
}

function up(walk: Walk): void {
  walk.low = Math.floor(walk.low / 2);
  walk.last = Math.floor(walk.last / 2);
}

/** On the right edge a node without a sibling is its own parent. */
function skipLoneLevels(walk: Walk): void {
  while (!isOdd(walk.low) && walk.low !== 0) up(walk);
}

const isOdd = (n: number): boolean => n % 2 === 1;
const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
const isHash = (bytes: Uint8Array): boolean => bytes.length === hashLength;

function isPowerOfTwo(n: number): boolean {
  let k = 1;
  while (k < n) k *= 2;
  return k === n;
}
