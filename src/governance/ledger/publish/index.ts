export { type Exported, type ExportProgress, exportLog } from './export.ts';
export { verifyExport } from './exported.ts';
export { readWitness, writeWitness } from './witness.ts';
