/** The oldest of one space let go of. Those with a tag stay, and are not counted. */
import type { JsonObject } from '../../../kernel/index.ts';
import type { About } from '../format/parts.ts';
import type { Store, Stored } from '../store/store.ts';

export interface Pruned {
  readonly removed: readonly string[];
  readonly kept: number;
  /** Contents that nothing named any more. */
  readonly contents: number;
}

interface Owned {
  readonly stored: Stored;
  readonly about: About;
}

/** The oldest first; without those that cannot be read. */
export function ownedBy(store: Store, space: string): readonly Owned[] {
  return store.list().flatMap((stored) => {
    const about = store.about(stored);
    return about?.space === space ? [{ stored, about }] : [];
  });
}

/** `automatic`: none that somebody asked for. */
export async function pruneOf(
  { store, record }: { readonly store: Store; record(body: JsonObject): Promise<void> },
  space: string,
  { keep, automatic }: { readonly keep: number; readonly automatic: boolean },
): Promise<Pruned> {
  const all = ownedBy(store, space).filter(({ about }) => !automatic || about.cause !== 'asked');
  const loose = all.filter(({ about }) => about.tag === undefined);
  const old = loose.slice(0, Math.max(0, loose.length - keep));
  const removed = old.map(({ stored }) => stored.id);
  // On record before it is done: what is missing later is not a loss that nobody can explain.
  if (removed.length > 0) await record({ step: 'pruned', keep, space, ids: removed.slice(0, 1000) });
  store.remove(old.map(({ stored }) => stored));
  return { removed, kept: all.length - removed.length, contents: store.sweep() };
}
