/** Finds the hash of any perfect subtree from at most one stored tile, so that proofs never scan the log. */
import { hashesAtLevel, hashLength, hashNode, perfectRoot, splitPoint, tileWidth } from '../verifier/index.ts';

/** The hashes of a tile as far as it is filled in the log of `size` entries. */
export type TileReader = (level: number, index: number, width: number) => Uint8Array;

/** The root over the leaves from `start` up to but without `end`. */
export type RangeHash = (start: number, end: number) => Uint8Array;

/**
 * Roots over ranges of the tree of `size` leaves. Ranges must be those into which RFC 6962 splits a tree: all perfect
 * subtrees, and what is left on the right edge.
 */
export function rangeHasher(size: number, readTile: TileReader): RangeHash {
  const tiles = new Map<string, Uint8Array>();
  const tileOf = (level: number, index: number): Uint8Array => {
    const name = `${level}/${index}`;
    let tile = tiles.get(name);
    if (tile === undefined) {
      const width = Math.min(tileWidth, hashesAtLevel(size, level) - index * tileWidth);
      tile = readTile(level, index, width);
      tiles.set(name, tile);
    }
    return tile;
  };

  const rangeHash = (start: number, end: number): Uint8Array => {
    const span = end - start;
    const half = span === 1 ? 0 : splitPoint(span);
    if (half * 2 !== span && span !== 1) {
      return hashNode(rangeHash(start, start + half), rangeHash(start + half, end));
    }
    let level = 0;
    while (tileWidth ** (level + 1) <= span) level++;
    const hashes = span / tileWidth ** level;
    const first = start / tileWidth ** level;
    const tile = tileOf(level, Math.floor(first / tileWidth));
    const offset = (first % tileWidth) * hashLength;
    return perfectRoot(tile.subarray(offset, offset + hashes * hashLength), hashNode);
  };
  return rangeHash;
}
