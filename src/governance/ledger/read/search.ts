/** Finds entries by what they say of themselves. Each is checked against its leaf hash before it is handed out. */
import type { Entry, EntryKind } from '../../../schemas/index.ts';
import { blockSize, brokenLedger, type EntryRow, type Reads } from '../store/index.ts';
import { hashLeaf, sameHash } from '../verifier/index.ts';

export interface EntryQuery {
  readonly kinds?: readonly EntryKind[];
  readonly run?: string;
  readonly agent?: string;
  readonly parent?: string;
  /** Only entries with a greater number. */
  readonly after?: number;
  /** By default 1,000. */
  readonly limit?: number;
  readonly newestFirst?: boolean;
}

const defaultLimit = 1000;

export function search(path: string, reads: Reads, query: EntryQuery): readonly Entry[] {
  return rows(reads, query).map((row) => readEntry(path, row));
}

/** @throws AgovError LEDGER_BROKEN when the bytes are not those of the leaf */
export function readEntry(path: string, { seq, leaf, bytes }: EntryRow): Entry {
  if (!sameHash(hashLeaf(bytes), leaf))
    throw brokenLedger(path, `The bytes of entry ${seq} do not match its leaf hash.`);
  // Bytes of this hash were written from an entry; whoever forged both is found by verifying.
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')) as Entry;
}

function rows(reads: Reads, query: EntryQuery): readonly EntryRow[] {
  const { parent, run, agent, kinds, after = -1, limit = defaultLimit, newestFirst = false } = query;
  const filter = { ...(run && { run }), ...(agent && { agent }), ...(kinds && { kinds }) };
  if (parent !== undefined) return childrenOf(reads, parent, query, filter);
  const blocks = candidateBlocks(reads, query, after + 1);
  if (blocks === undefined) return reads.entries(after + 1, Number.MAX_SAFE_INTEGER, limit, newestFirst, filter);

  const found: EntryRow[] = [];
  for (const block of newestFirst ? blocks.toReversed() : blocks) {
    if (found.length >= limit) break;
    const first = Math.max(block * blockSize, after + 1);
    found.push(...reads.entries(first, (block + 1) * blockSize - 1, limit - found.length, newestFirst, filter));
  }
  return found;
}

/** The blocks in which every part of the query has an entry, oldest first; undefined when it has no such part. */
function candidateBlocks(reads: Reads, { run, agent, kinds }: EntryQuery, from: number): number[] | undefined {
  const parts: string[][] = [];
  if (run !== undefined) parts.push([`r/${run}`]);
  if (agent !== undefined) parts.push([`a/${agent}`]);
  if (kinds !== undefined) parts.push(kinds.map((kind) => `k/${kind}`));
  const [first, ...rest] = parts.map((facets) => reads.blocks(facets, from));
  if (first === undefined) return undefined;
  const sets = rest.map((blocks) => new Set(blocks));
  return first.filter((block) => sets.every((set) => set.has(block)));
}

function childrenOf(
  reads: Reads,
  parent: string,
  { after = -1, limit = defaultLimit, newestFirst = false }: EntryQuery,
  filter: { readonly run?: string; readonly agent?: string; readonly kinds?: readonly string[] },
): readonly EntryRow[] {
  const children = reads.children(parent, after, filter);
  return (newestFirst ? children.toReversed() : children).slice(0, limit);
}
