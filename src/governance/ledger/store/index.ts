export { type DatabaseOptions, openForReading, openForWriting } from './database.ts';
export { brokenLedger, isBusy, ledgerFault } from './faults.ts';
export { type EntryRow, type Reads, type RowFilter, readStatements, type TailRow } from './reads.ts';
export { blockSize, tailStart, tailStartSql } from './schema.ts';
export { keepWalShort, type WalKeeper } from './wal.ts';
export { type Writes, writeStatements } from './writes.ts';
