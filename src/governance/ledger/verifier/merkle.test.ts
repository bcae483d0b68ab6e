import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { consistencyProof, inclusionProof, rangeHasher } from '../tree/index.ts';
import { emptyRoot, growTree, hashLeaf, hashNode, rootOf, verifyConsistency, verifyInclusion } from './index.ts';

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');
const show = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const runs = { numRuns: Number(process.env['AGOV_PROPERTY_RUNS'] ?? 30) };

// Certificate Transparency's own vectors: transparency-dev/merkle, proof/verify_test.go.
const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const leaves = inputs.map((input) => hashLeaf(hex(input)));
const emptyTreeRoot = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const roots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
].map(hex);
const rootAt = (size: number): Uint8Array => roots[size - 1] as Uint8Array;

const inclusionVectors: [index: number, size: number, proof: string[]][] = [
  [0, 1, []],
  [
    0,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    5,
    8,
    [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
  [
    1,
    5,
    [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];

const consistencyVectors: [oldSize: number, newSize: number, proof: string[]][] = [
  [1, 1, []],
  [
    1,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    6,
    8,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [
    2,
    5,
    [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
  [
    6,
    7,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
];

/** The wrong proofs of that suite: each must be refused. */
function corruptions(proof: readonly Uint8Array[], root: Uint8Array): Uint8Array[][] {
  const flipped = proof.map((node, i) => {
    const changed = Uint8Array.from(node);
    changed[0] = (changed[0] ?? 0) ^ 8;
    return proof.toSpliced(i, 1, changed);
  });
  const extended = [
    [...proof, new Uint8Array(0)],
    [...proof, root],
    [new Uint8Array(0), ...proof],
    [root, ...proof],
  ];
  return [...flipped, ...extended, ...(proof.length > 0 ? [proof.slice(0, -1)] : [])];
}

/** Hashes of `leaves` by the definition, as a store would serve them. */
function ranges(all: readonly Uint8Array[], size = all.length): ReturnType<typeof rangeHasher> {
  const tiles = new Map<string, Uint8Array>();
  const tree = growTree(undefined, (level, index, hashes) => void tiles.set(`${level}/${index}`, hashes.slice()));
  for (const leaf of all) tree.push(leaf);
  return rangeHasher(size, (level, index, width) => {
    if (level === 0) return Buffer.concat(all.slice(index * 256, index * 256 + width));
    return (tiles.get(`${level}/${index}`) ?? new Uint8Array(0)).subarray(0, width * 32);
  });
}

const someLeaves = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => hashLeaf(Buffer.from(`leaf ${i}`)));

describe('published vectors', () => {
  it('gives the published roots, also while growing', () => {
    expect(show(emptyRoot())).toBe(emptyTreeRoot);
    const tree = growTree();
    expect(show(tree.root())).toBe(emptyTreeRoot);
    for (const [i, leaf] of leaves.entries()) {
      tree.push(leaf);
      expect(show(tree.root())).toBe(show(rootAt(i + 1)));
      expect(show(rootOf(leaves.slice(0, i + 1)))).toBe(show(rootAt(i + 1)));
    }
  });

  it.each(inclusionVectors)(
    'makes and accepts the proof of leaf %i of %i, and nothing near it',
    (index, size, path) => {
      const claim = { leaf: leaves[index] as Uint8Array, index, size, root: rootAt(size), proof: path.map(hex) };
      expect(inclusionProof(index, size, ranges(leaves, size)).map(show)).toEqual(path);
      expect(verifyInclusion(claim)).toBe(true);
      for (const proof of corruptions(claim.proof, claim.root))
        expect(verifyInclusion({ ...claim, proof })).toBe(false);
      for (const wrong of [
        { index: index - 1 },
        { index: index + 1 },
        { index: index ^ 2 },
        { size: size * 2 },
        { size: Math.floor(size / 2) },
        { leaf: Buffer.from('WrongLeaf') },
        { root: hex(emptyTreeRoot) },
        { root: new Uint8Array(0) },
      ]) {
        expect(verifyInclusion({ ...claim, ...wrong }), JSON.stringify(Object.keys(wrong))).toBe(false);
      }
    },
  );

  it.each(consistencyVectors)(
    'makes and accepts the proof from %i to %i, and nothing near it',
    (oldSize, newSize, path) => {
      const claim = { oldSize, oldRoot: rootAt(oldSize), newSize, newRoot: rootAt(newSize), proof: path.map(hex) };
      expect(consistencyProof(oldSize, newSize, ranges(leaves, newSize)).map(show)).toEqual(path);
      expect(verifyConsistency(claim)).toBe(true);
      for (const proof of corruptions(claim.proof, claim.oldRoot)) {
        expect(verifyConsistency({ ...claim, proof })).toBe(false);
      }
      if (oldSize === newSize) return;
      for (const wrong of [
        { oldSize: oldSize - 1 },
        { oldSize: oldSize + 1 },
        { oldSize: oldSize ^ 2 },
        { newSize: newSize * 2 },
        { newSize: Math.floor(newSize / 2) },
        { oldRoot: Buffer.from('WrongRoot') },
        { newRoot: Buffer.from('WrongRoot') },
        { oldRoot: claim.newRoot, newRoot: claim.oldRoot },
        { proof: [] },
      ]) {
        expect(verifyConsistency({ ...claim, ...wrong }), JSON.stringify(Object.keys(wrong))).toBe(false);
      }
    },
  );

  it('judges trees of the same size, of size 0, and shrinking ones as the published table does', () => {
    const [a, b] = [Buffer.from("don't care 1"), Buffer.from("don't care 2")];
    const check = (oldSize: number, newSize: number, oldRoot: Uint8Array, newRoot: Uint8Array, proof: Uint8Array[]) =>
      verifyConsistency({ oldSize, newSize, oldRoot, newRoot, proof });
    const empty = hex(emptyTreeRoot);
    expect(check(0, 0, a, b, [])).toBe(false);
    expect(check(1, 1, a, b, [])).toBe(false);
    expect(check(0, 0, a, a, [])).toBe(true);
    expect(check(0, 1, a, b, [])).toBe(true);
    expect(check(1, 1, b, b, [])).toBe(true);
    expect(check(1, 0, a, b, [])).toBe(false);
    expect(check(2, 1, a, b, [])).toBe(false);
    expect(check(1, 2, a, b, [])).toBe(false);
    for (const [oldSize, newSize] of [
      [0, 0],
      [0, 1],
      [1, 1],
    ] as const) {
      expect(check(oldSize, newSize, empty, empty, [empty])).toBe(false);
    }
  });
});

describe('any tree', () => {
  it('grows to the root of the definition, from any point of rest', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1500 }), fc.integer({ min: 0, max: 300 }), (start, more) => {
        const all = someLeaves(start + more);
        const before = growTree();
        for (const leaf of all.slice(0, start)) before.push(leaf);
        const edges = [0, 1, 2].map((level) => before.edge(level).slice());
        const after = growTree({ size: start, edges });
        for (const leaf of all.slice(start)) after.push(leaf);
        expect(after.size).toBe(all.length);
        expect(show(after.root())).toBe(show(rootOf(all)));
      }),
      runs,
    );
  });

  it('proves every leaf of every small tree, and no other leaf by the same proof', () => {
    for (let size = 1; size <= 40; size++) {
      const all = someLeaves(size);
      const root = rootOf(all);
      for (const [index, leaf] of all.entries()) {
        const proof = inclusionProof(index, size, ranges(all));
        expect(verifyInclusion({ leaf, index, size, root, proof })).toBe(true);
        const other = all[(index + 1) % size] as Uint8Array;
        expect(verifyInclusion({ leaf: other, index, size, root, proof })).toBe(size === 1);
      }
    }
  });

  it('proves every pair of small sizes consistent, and no changed tree', () => {
    const all = someLeaves(40);
    for (let newSize = 1; newSize <= 40; newSize++) {
      const newRoot = rootOf(all.slice(0, newSize));
      const rangeHash = ranges(all, newSize);
      for (let oldSize = 1; oldSize <= newSize; oldSize++) {
        const oldRoot = rootOf(all.slice(0, oldSize));
        const claim = { oldSize, newSize, oldRoot, newRoot, proof: consistencyProof(oldSize, newSize, rangeHash) };
        expect(verifyConsistency(claim)).toBe(true);
        const rewritten = rootOf(all.slice(0, oldSize).with(oldSize - 1, hashLeaf(Buffer.from('forged'))));
        expect(verifyConsistency({ ...claim, oldRoot: rewritten })).toBe(false);
      }
    }
  });

  it('proves across tile borders from stored tiles', () => {
    const all = someLeaves(70_000);
    const tree = growTree();
    for (const leaf of all) tree.push(leaf);
    const rangeHash = ranges(all);
    for (const index of [0, 255, 256, 65_535, 65_536, 69_999]) {
      const proof = inclusionProof(index, all.length, rangeHash);
      const leaf = all[index] as Uint8Array;
      expect(verifyInclusion({ leaf, index, size: all.length, root: tree.root(), proof })).toBe(true);
    }
    for (const oldSize of [1, 255, 256, 257, 65_536, 69_999]) {
      const old = growTree();
      for (const leaf of all.slice(0, oldSize)) old.push(leaf);
      const proof = consistencyProof(oldSize, all.length, rangeHash);
      const claim = { oldSize, oldRoot: old.root(), newSize: all.length, newRoot: tree.root(), proof };
      expect(verifyConsistency(claim)).toBe(true);
    }
  });

  it('keeps leaves and nodes apart', () => {
    const [left, right] = someLeaves(2) as [Uint8Array, Uint8Array];
    expect(show(hashLeaf(Buffer.concat([left, right])))).not.toBe(show(hashNode(left, right)));
  });
});
