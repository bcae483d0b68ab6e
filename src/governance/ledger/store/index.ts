export { openForReading, openForWriting } from './database.ts';
export { brokenLedger, isBusy, isUniqueViolation, ledgerFault } from './faults.ts';
export { type EntryRow, type Reads, type RowFilter, readStatements } from './reads.ts';
export { blockSize } from './schema.ts';
export { keepWalShort, type WalKeeper } from './wal.ts';
export { type Writes, writeStatements } from './writes.ts';
