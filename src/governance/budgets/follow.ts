/** Keeps a tree of budgets in step with the ledger, as this and other processes write it. */
import type { Entry } from '../../schemas/index.ts';
import { everyEntry, type Ledger } from '../ledger/index.ts';
import { emptyTree, type Tree, takeEntry } from './account/index.ts';

type Reads = Pick<Ledger, 'query' | 'byId'>;

const mostFew = 32;

/** The tree that the budget belongs to; undefined where there is no such budget. */
export function loadTree(ledger: Reads, scope: string): Tree | undefined {
  let entry = ledger.byId(scope);
  while (entry?.kind === 'budget' && entry.parent !== undefined) entry = ledger.byId(entry.parent);
  if (entry?.kind !== 'budget') return undefined;
  const tree = emptyTree(entry.id, entry.seq - 1);
  catchUpFar(ledger, tree);
  return tree;
}

export function catchUp(ledger: Reads, tree: Tree): void {
  // Mostly it is only what the last acts wrote: to read that is cheaper than to search for it.
  const few = ledger.query({ after: tree.after, limit: mostFew });
  if (few.length === mostFew) catchUpFar(ledger, tree);
  else for (const entry of few) takeEntry(tree, entry);
}

function catchUpFar(ledger: Reads, tree: Tree): void {
  const [newest] = ledger.query({ newestFirst: true, limit: 1 });
  if (!newest) return;
  const since = { after: tree.after };
  const members = new Set(tree.scopes.keys());
  const runs = new Set([...tree.scopes.values()].map(({ run }) => run));
  const found: Entry[] = [];
  for (const entry of everyEntry(ledger, { kinds: ['budget'], ...since })) {
    if (entry.id !== tree.root && !members.has(entry.parent ?? '')) continue;
    members.add(entry.id);
    if (entry.run !== undefined) runs.add(entry.run);
    found.push(entry);
  }
  for (const run of runs) found.push(...everyEntry(ledger, { kinds: ['intent', 'outcome'], run, ...since }));
  // What came while this was read may be there of one run and not of another: it is left for the next time.
  const known = found.filter(({ seq }) => seq <= newest.seq).sort((a, b) => a.seq - b.seq);
  for (const entry of known) takeEntry(tree, entry);
  tree.after = newest.seq;
  tree.lastAt = Math.max(tree.lastAt, Date.parse(newest.at));
}
