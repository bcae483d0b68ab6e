export { type RangeHash, rangeHasher, type TileReader } from './nodes.ts';
export { consistencyProof, inclusionProof } from './proofs.ts';
export { tileIndexPath, tilePath } from './tile-path.ts';
