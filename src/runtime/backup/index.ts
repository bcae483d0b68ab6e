export { backUp, checkBackup, type Manifest, restore } from './backup.ts';
