/** Inclusion and consistency proofs as RFC 6962 sections 2.1.1 and 2.1.2 define them. */
import { splitPoint } from '../verifier/index.ts';
import type { RangeHash } from './nodes.ts';

/** The path of leaf `index` in the tree of `size` leaves, from its sibling up. */
export function inclusionProof(index: number, size: number, rangeHash: RangeHash): Uint8Array[] {
  const path: Uint8Array[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    if (index < middle) {
      path.push(rangeHash(middle, end));
      end = middle;
    } else {
      path.push(rangeHash(start, middle));
      start = middle;
    }
  }
  return path.reverse();
}

/** Shows that the tree of `oldSize` leaves is a prefix of that of `newSize`. Empty when either says it already. */
export function consistencyProof(oldSize: number, newSize: number, rangeHash: RangeHash): Uint8Array[] {
  if (oldSize === 0 || oldSize === newSize) return [];
  const path: Uint8Array[] = [];
  let [start, end] = [0, newSize];
  while (end !== oldSize) {
    const middle = start + splitPoint(end - start);
    if (oldSize <= middle) {
      path.push(rangeHash(middle, end));
      end = middle;
    } else {
      path.push(rangeHash(start, middle));
      start = middle;
    }
  }
  // What is left is the old tree's own last subtree; the verifier has it already when it is the whole old tree.
  if (start > 0) path.push(rangeHash(start, end));
  return path.reverse();
}
