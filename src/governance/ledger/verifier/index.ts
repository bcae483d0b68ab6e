/**
 * All that an auditor needs to check a ledger, its proofs and its heads: nothing here opens a file or trusts one. It
 * imports nothing but the kernel and node:crypto, so that it can be read, copied and run alone.
 */
export { type Checkpoint, formatCheckpoint, openCheckpoint, parseCheckpoint } from './checkpoint.ts';
export {
  type GrowingTree,
  growTree,
  hashesAtLevel,
  perfectRoot,
  type TileListener,
  tileWidth,
} from './growing-tree.ts';
export {
  type ConsistencyClaim,
  emptyRoot,
  hashLeaf,
  hashLength,
  hashNode,
  type InclusionClaim,
  rootOf,
  sameHash,
  splitPoint,
  verifyConsistency,
  verifyInclusion,
} from './merkle.ts';
export {
  formatSignature,
  formatVerifierKey,
  isKeyName,
  type Note,
  type NoteSignature,
  openNote,
  parseNote,
  parseVerifierKey,
  type VerifierKey,
  verifierKey,
} from './note.ts';
export type { Parsed } from './parsed.ts';
export type { Problem, VerifyReport } from './report.ts';
export type { LogSource, StoredEntry } from './source.ts';
export { formatTlogProof, type ProvenEntry, parseTlogProof, type TlogProof, verifyTlogProof } from './tlog-proof.ts';
export { type VerifyLogOptions, verifyLog } from './verify-log.ts';
