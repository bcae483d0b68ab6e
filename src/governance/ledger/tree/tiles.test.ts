import { describe, expect, it } from 'vitest';
import { growTree, hashesAtLevel, hashLeaf } from '../verifier/index.ts';
import { tileIndexPath, tilePath } from './index.ts';

describe('tile paths (C2SP tlog-tiles)', () => {
  it.each([
    [0, '000'],
    [67, '067'],
    [999, '999'],
    [1000, 'x001/000'],
    [1234067, 'x001/x234/067'],
  ])('writes index %i as %s', (index, path) => expect(tileIndexPath(index)).toBe(path));

  it('names full and partial tiles and bundles', () => {
    expect(tilePath(0, 1234067, 256)).toBe('tile/0/x001/x234/067');
    expect(tilePath(2, 0, 1)).toBe('tile/2/000.p/1');
    expect(tilePath('entries', 273, 112)).toBe('tile/entries/273.p/112');
  });
});

describe('tile layout', () => {
  const grow = (size: number): { full: Map<number, number>; edges: number[] } => {
    const full = new Map<number, number>();
    const tree = growTree(undefined, (level, _, hashes) => {
      if (hashes.length === 256 * 32) full.set(level, (full.get(level) ?? 0) + 1);
    });
    const leaf = hashLeaf(Buffer.from('x'));
    for (let i = 0; i < size; i++) tree.push(leaf);
    const edges: number[] = [];
    for (let level = 0; hashesAtLevel(size, level) > 0; level++) edges.push(tree.edge(level).length / 32);
    return { full, edges };
  };

  it('lays 70,000 entries out as the specification says', () => {
    const { full, edges } = grow(70_000);
    expect(Object.fromEntries(full)).toEqual({ 0: 273, 1: 1 });
    expect(edges).toEqual([112, 17, 1]);
  });

  it('lays 256 entries out as the specification says', () => {
    const { full, edges } = grow(256);
    expect(Object.fromEntries(full)).toEqual({ 0: 1 });
    expect(edges).toEqual([0, 1]);
  });
});

describe('a fork', () => {
  it.each([0, 1, 255, 256, 300, 65_700])(
    'of a tree of %i grows as the tree would have, and leaves it as it was',
    (size) => {
      const leafOf = (n: number): Uint8Array => hashLeaf(Buffer.from(`${n}`));
      const tree = growTree();
      for (let n = 0; n < size; n++) tree.push(leafOf(n));
      const [root, edge] = [tree.root(), tree.edge(0).slice()];
      const tiles: string[] = [];
      const fork = tree.fork((level, index) => tiles.push(`${level}/${index}`));
      for (let n = 0; n < 260; n++) fork.push(leafOf(-n));
      expect([tree.size, tree.root(), tree.edge(0)]).toEqual([size, root, edge]);
      for (let n = 0; n < 260; n++) tree.push(leafOf(-n));
      expect([tree.size, tree.root(), tree.edge(0), tree.edge(1)]).toEqual([
        fork.size,
        fork.root(),
        fork.edge(0),
        fork.edge(1),
      ]);
      expect(tiles).toContain(`0/${Math.floor(size / 256)}`);
    },
  );
});
