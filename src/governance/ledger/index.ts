export type { Receipt, SignedHead } from './append/index.ts';
export { everyEntry } from './every.ts';
export { type LedgerKey, loadKey, loadOrCreateKey, publicKeyPem, verifierKeyLine } from './key.ts';
export { type Ledger, type LedgerOptions, openLedger } from './ledger.ts';
export { type Exported, type ExportProgress, verifyExport } from './publish/index.ts';
export type { EntryQuery } from './search.ts';
export type { LedgerStats } from './stats.ts';
export type { Problem, VerifyReport } from './verifier/index.ts';
