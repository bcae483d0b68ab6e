export type { Receipt, SignedHead } from './append/index.ts';
export {
  type LedgerKey,
  loadKey,
  loadOrCreateKey,
  loadOrPin,
  loadPinned,
  type PinnedKey,
  publicKeyPem,
  type RemoteKey,
  remoteKey,
  type SigningKey,
  verifierKeyLine,
} from './key/index.ts';
export { pinAnew } from './key/repin.ts';
export { type Ledger, type LedgerOptions, openLedger } from './ledger.ts';
export { type Exported, type ExportProgress, verifyExport } from './publish/index.ts';
export { everyEntry } from './read/every.ts';
export type { EntryQuery } from './read/search.ts';
export type { LedgerStats } from './read/stats.ts';
export { openNote, type Problem, parseVerifierKey, type VerifierKey, type VerifyReport } from './verifier/index.ts';
