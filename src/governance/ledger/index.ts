export type { Receipt, SignedHead } from './append/index.ts';
export { everyEntry } from './every.ts';
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
export { type Ledger, type LedgerOptions, openLedger } from './ledger.ts';
export { type Exported, type ExportProgress, verifyExport } from './publish/index.ts';
export { pinAnew } from './repin.ts';
export type { EntryQuery } from './search.ts';
export type { LedgerStats } from './stats.ts';
export { openNote, type Problem, parseVerifierKey, type VerifierKey, type VerifyReport } from './verifier/index.ts';
