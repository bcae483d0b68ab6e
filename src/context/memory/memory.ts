/**
 * The memory of a project: content outside the context window, found again by its words. What is logged here is whole or
 * absent, holds no secret that can be told by its looks, and lies once for equal bytes. It asks nobody whether it may:
 * `deskOf` does, for whoever is behind a channel.
 */
import type { Env, IdSource } from '../../kernel/index.ts';
import type { SummaryLength } from '../summaries/index.ts';
import { type Author, type IntakeParts, type LogOptions, takeIn } from './intake/log.ts';
import { type FetchOptions, type Piece, pieces } from './reading/fetch.ts';
import { findEntry } from './reading/find.ts';
import { type ListPage, type ListQuery, listEntries } from './reading/list.ts';
import {
  addVectors,
  bySense,
  type Found,
  loadSenses,
  type Ranking,
  type SearchQuery,
  searchEntries,
  type Unsensed,
  unsensed,
} from './reading/search/index.ts';
import { type EntrySummary, materialOf, summaryOf } from './reading/summary.ts';
import { allSpaces, type MemoryEntry, openDatabase } from './store/index.ts';
import { behind, indexSome } from './upkeep/catch-up.ts';
import { type Forgotten, forgetEntry } from './upkeep/forget.ts';
import { type Collected, collect, type GcOptions } from './upkeep/gc.ts';
import { type Link, linkEntries, linksOf } from './upkeep/links.ts';
import { type MemoryStats, statsOf } from './upkeep/stats.ts';

export interface MemoryParts {
  /** `.agov/memory.db`. */
  readonly path: string;
  readonly env: Env;
  readonly ids: IdSource;
}

/** Names of spaces: `project`, `agent/NAME`, `team/NAME`. */
export type Spaces = readonly string[];

export interface Memory extends AsyncDisposable {
  /** Any number of bytes, as an entry. @throws INPUT_INVALID, SECRET_FOUND, DISK_FULL, MEMORY_UNAVAILABLE */
  log(space: string, author: Author, source: AsyncIterable<Uint8Array>, options?: LogOptions): Promise<MemoryEntry>;
  /** By its id, or four or more characters of its beginning or end. @throws NOT_FOUND, CONFLICT, INPUT_INVALID */
  find(spaces: Spaces, id: string): MemoryEntry;
  fetch(spaces: Spaces, id: string, options?: FetchOptions): Iterable<Piece>;
  /** In few words, without a model. */
  summary(spaces: Spaces, id: string, length: SummaryLength): EntrySummary;
  /** The text of an entry for whoever sums it up; of one that is large, stretches, and how much of it they are. */
  material(spaces: Spaces, id: string): { readonly text: string; readonly read: number };
  list(spaces: Spaces, query: ListQuery): ListPage;
  /** `bySense`: what `near` has found, fused with what the words find. */
  search(spaces: Spaces, query: SearchQuery, bySense?: Ranking): Found;
  /** Parts without a vector of this model, the newest first. */
  unsensed(model: string, limit: number): readonly Unsensed[];
  addVectors(model: string, vectors: readonly { part: number; vector: Float32Array }[]): void;
  /** Parts whose vectors are nearest. @throws TOOL_MISSING */
  near(spaces: Spaces, query: SearchQuery, model: string, question: Float32Array): Promise<Ranking>;
  /** Parts that search does not find yet. */
  behind(): number;
  /** Indexes some of them. True while there is more. */
  indexSome(): boolean;
  link(spaces: Spaces, source: string, target: string, relation: string, by: string): Link;
  links(spaces: Spaces, id: string): readonly Link[];
  forget(spaces: Spaces, id: string, by: string, reason: string): Forgotten;
  stats(spaces: Spaces): MemoryStats;
  /** Every space there is. */
  spaces(): Spaces;
  gc(options?: GcOptions): Promise<Collected>;
}

/** @throws MEMORY_CORRUPT, MEMORY_UNAVAILABLE, NOT_WRITABLE, DISK_FULL */
export async function openMemory({ path, env, ids }: MemoryParts): Promise<Memory> {
  const db = await openDatabase(path, env);
  let sensing: Promise<void> | undefined;
  const intake: IntakeParts = { db, env, ids };
  return {
    log: (space, author, source, options = {}) => takeIn(intake, space, author, source, options),
    find: (spaces, id) => findEntry(db, spaces, id).entry,
    fetch: (spaces, id, options) => pieces(db, findEntry(db, spaces, id), options),
    summary: (spaces, id, length) => summaryOf(db, findEntry(db, spaces, id), length),
    material: (spaces, id) => materialOf(db, findEntry(db, spaces, id)),
    list: (spaces, query) => listEntries(db, spaces, query),
    search: (spaces, query, ranked) => searchEntries(db, spaces, query, ranked),
    unsensed: (model, limit) => unsensed(db, model, limit),
    addVectors: (model, vectors) => addVectors(db, model, vectors),
    async near(spaces, query, model, question) {
      sensing ??= loadSenses(db);
      await sensing;
      return bySense(db, spaces, query, model, question);
    },
    behind: () => behind(db),
    indexSome: () => indexSome(db),
    link: (spaces, source, target, relation, by) =>
      linkEntries(db, env, findEntry(db, spaces, source), findEntry(db, spaces, target), relation, by),
    links: (spaces, id) => linksOf(db, spaces, findEntry(db, spaces, id)),
    forget: (spaces, id, by, reason) => forgetEntry(db, env, findEntry(db, spaces, id), by, reason),
    stats: (spaces) => statsOf(db, spaces),
    spaces: () => allSpaces(db),
    gc: (options) => collect(db, env, options),
    async [Symbol.asyncDispose]() {
      db[Symbol.dispose]();
    },
  };
}
