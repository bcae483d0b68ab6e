export { type Found, type SearchHit, type SearchQuery, searchEntries } from './search.ts';
export { addVectors, bySense, loadSenses, type Unsensed, unsensed } from './sense.ts';
export type { Ranking } from './words.ts';
