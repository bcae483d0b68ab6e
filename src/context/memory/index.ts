/** Large content outside the context window: logged, fetched, listed, searched, forgotten. */
export { type Asker, type Desk, deskOf, type Senses } from './access/desk.ts';
export { answerTokens, type Material, type Writer } from './access/sum-up.ts';
export { type Kind, kinds } from './intake/kind.ts';
export type { LogOptions } from './intake/log.ts';
export { type Memory, openMemory } from './memory.ts';
export type { FetchOptions, Piece } from './reading/fetch.ts';
export type { SearchHit } from './reading/search/index.ts';
export type { MemoryEntry } from './store/index.ts';
