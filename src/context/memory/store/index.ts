export { partReader, partsFrom, type StoredPart } from './blocks.ts';
export { type Database, openDatabase, type SQLInputValue } from './database.ts';
export {
  allSpaces,
  backwards,
  type MemoryEntry,
  makeSpace,
  type StoredEntry,
  selectEntries,
  spaceIds,
} from './entries.ts';
export { addTitle, addWords, removeTitle, removeWords } from './words.ts';
