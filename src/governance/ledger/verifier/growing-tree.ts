/**
 * A tree that grows one leaf at a time and keeps only its right edge: the roots of its perfect subtrees, and the
 * unfinished tile of each level (C2SP tlog-tiles: 256 hashes wide, so level L holds the roots of 256^L leaves).
 */
import { emptyRoot, hashLength, sha256 } from './merkle.ts';

export const tileWidth = 256;
const tileBytes = tileWidth * hashLength;

/** Called with a tile's hashes so far, whenever one is added; the bytes are a view that the next leaf may change. */
export type TileListener = (level: number, index: number, hashes: Uint8Array) => void;

export interface GrowingTree {
  readonly size: number;
  push(leaf: Uint8Array): void;
  root(): Uint8Array;
  /** The hashes of the unfinished tile of `level`, a view. */
  edge(level: number): Uint8Array;
  /** A tree that begins as this one is now, and grows by itself. */
  fork(onTile?: TileListener): GrowingTree;
}

interface Tile {
  readonly hashes: Uint8Array;
  width: number;
}

/** How many hashes level `level` holds in a tree of `size` leaves. */
export function hashesAtLevel(size: number, level: number): number {
  return Math.floor(size / tileWidth ** level);
}

/**
 * A tree of `size` leaves whose unfinished tiles are `edges`, by level. `onTile` hears of every hash added above level
 * 0, and of level 0 when a tile is full.
 */
export function growTree(
  from: { readonly size: number; readonly edges: readonly Uint8Array[] } = { size: 0, edges: [] },
  onTile?: TileListener,
): GrowingTree {
  const tiles = from.edges.map((edge): Tile => {
    const hashes = new Uint8Array(tileBytes);
    hashes.set(edge);
    return { hashes, width: edge.length / hashLength };
  });
  return grow(from.size, tiles, peaksOf(from.edges, joiner()), onTile);
}

function grow(start: number, tiles: Tile[], peaks: Uint8Array[], onTile: TileListener | undefined): GrowingTree {
  let size = start;
  const join = joiner();

  const tileAt = (level: number): Tile => {
    let tile = tiles[level];
    if (tile === undefined) {
      tile = { hashes: new Uint8Array(tileBytes), width: 0 };
      tiles[level] = tile;
    }
    return tile;
  };

  const addToTile = (level: number, node: Uint8Array, index: number): void => {
    const tile = tileAt(level);
    tile.hashes.set(node, tile.width * hashLength);
    tile.width += 1;
    if (onTile && (level > 0 || tile.width === tileWidth)) {
      onTile(level, Math.floor(index / tileWidth), tile.hashes.subarray(0, tile.width * hashLength));
    }
    if (tile.width === tileWidth) tile.width = 0;
  };

  return {
    get size() {
      return size;
    },
    push(leaf) {
      let node = leaf;
      let index = size;
      let height = 0;
      addToTile(0, leaf, index);
      while (index % 2 === 1) {
        // An odd index means that its left sibling is the last peak.
        node = join(peaks.pop() as Uint8Array, node);
        index = (index - 1) / 2;
        height += 1;
        if (height % 8 === 0) addToTile(height / 8, node, index);
      }
      peaks.push(node);
      size += 1;
    },
    root() {
      let node = peaks.at(-1);
      if (node === undefined) return emptyRoot();
      for (let i = peaks.length - 2; i >= 0; i--) node = join(peaks[i] as Uint8Array, node);
      return node;
    },
    edge(level) {
      const tile = tileAt(level);
      return tile.hashes.subarray(0, tile.width * hashLength);
    },
    // Peaks are never written to, so that both trees may hold them.
    fork: (listener) =>
      grow(
        size,
        tiles.map(({ hashes, width }) => ({ hashes: hashes.slice(), width })),
        peaks.slice(),
        listener,
      ),
  };
}

function joiner(): Join {
  const scratch = new Uint8Array(1 + 2 * hashLength);
  scratch[0] = 1;
  return (left, right) => {
    scratch.set(left, 1);
    scratch.set(right, 1 + hashLength);
    return sha256(scratch);
  };
}

type Join = (left: Uint8Array, right: Uint8Array) => Uint8Array;

/** The roots of the perfect subtrees, the largest first: each unfinished tile gives one for every bit of its width. */
function peaksOf(edges: readonly Uint8Array[], join: Join): Uint8Array[] {
  const peaks: Uint8Array[] = [];
  for (const edge of edges.toReversed()) {
    let start = 0;
    for (let span = tileWidth / 2; span >= 1; span /= 2) {
      if (start + span > edge.length / hashLength) continue;
      peaks.push(perfectRoot(edge.slice(start * hashLength, (start + span) * hashLength), join));
      start += span;
    }
  }
  return peaks;
}

/** The root over a power of two of concatenated hashes. */
export function perfectRoot(hashes: Uint8Array, join: Join): Uint8Array {
  if (hashes.length === hashLength) return hashes;
  const half = hashes.length / 2;
  return join(perfectRoot(hashes.subarray(0, half), join), perfectRoot(hashes.subarray(half), join));
}
