/**
 * Budgets over the ledger: each is an entry, and what was spent is the fold of the intents and outcomes that draw on it.
 * What is spent counts against the budget itself and all above it. What cannot be told denies.
 */
import { AgovError, type Env, type IdSource, isAgovError, type JsonObject } from '../../kernel/index.ts';
import type { Ledger } from '../ledger/index.ts';
import {
  type Amounts,
  type BudgetBody,
  heldTo,
  type Kind,
  kindsOf,
  type Limits,
  leftOf,
  ownLeft,
  type Passed,
  refuseBad,
  type Scope,
  type Spent,
  shortage,
  shortageText,
  steadyClock,
  type Tree,
  takeIntent,
  takeOutcome,
  tooDeep,
  tooMuch,
  wholeAmount,
} from './account/index.ts';
import { catchUp, loadTree } from './follow.ts';
import type { SharedAccounts } from './shared/index.ts';
import type { Budgets, Hold, OpenRequest, Payer, Statement } from './types.ts';

export interface BudgetsParts {
  readonly ledger: Pick<Ledger, 'query' | 'byId' | 'append'>;
  readonly ids: IdSource;
  readonly env: Env;
  /** Where several hosts may spend from one budget. */
  readonly shared?: SharedAccounts | undefined;
}

const maxDepth = 16;
/** The others are folded again when they come back. */
const mostTrees = 256;

interface Found {
  readonly scope: Scope;
  readonly tree: Tree;
}

export function ledgerBudgets({ ledger, ids, env, shared }: BudgetsParts): Budgets {
  const trees = new Map<string, Tree>();
  const now = steadyClock(env);

  const treeOf = (id: string): Tree | undefined => {
    for (const tree of trees.values()) if (tree.scopes.has(id)) return tree;
    return undefined;
  };

  /** Up to date. */
  function find(id: string): Found | undefined {
    const loaded = treeOf(id) ?? loadTree(ledger, id);
    if (!loaded) return undefined;
    // One tree for all its budgets, or what is on its way would count in one and not in the other.
    const tree = trees.get(loaded.root) ?? loaded;
    catchUp(ledger, tree);
    remember(tree);
    const scope = tree.scopes.get(id);
    return scope && { scope, tree };
  }

  function remember(tree: Tree): void {
    if (trees.has(tree.root)) return;
    trees.set(tree.root, tree);
    if (trees.size <= mostTrees) return;
    const oldest = [...trees.values()].find(({ pending }) => pending.size === 0);
    if (oldest) trees.delete(oldest.root);
  }

  function mustFind(id: string): Found {
    const found = find(id);
    if (found) return found;
    throw new AgovError('NOT_FOUND', { what: `There is no budget ${id}.`, fix: 'See "agov budget".' });
  }

  const passedIn =
    ({ lastAt }: Tree): Passed =>
    ({ openedAt }) =>
      Math.max(0, now(lastAt) - openedAt);
  const left = ({ scope, tree }: Found, overdraws?: boolean): Limits =>
    leftOf(tree, heldTo(scope, overdraws), passedIn(tree));

  function look(payer: Payer, most: Spent): { refused: string } | (Found & { amounts: Amounts }) {
    const found = payer.budget === undefined ? undefined : find(payer.budget);
    if (!found) return { refused: `There is no budget ${payer.budget}.` };
    const { scope, tree } = found;
    if (scope.run !== payer.run) return { refused: `The budget ${payer.budget} is another run's.` };
    const [tokens, moneyMicros] = [wholeAmount(most.tokens ?? 0), wholeAmount(most.moneyMicros ?? 0)];
    if (tokens === undefined || moneyMicros === undefined)
      return { refused: 'What it may spend at most cannot be told.' };
    const amounts = { actions: 1, tokens, moneyMicros };
    const short = shortage(tree, heldTo(scope, payer.overdraws), amounts, passedIn(tree));
    return short ? { refused: shortageText(short) } : { ...found, amounts };
  }

  async function take(payer: Payer, most: Spent = {}): Promise<Hold | { refused: string }> {
    const looked = look(payer, most);
    if ('refused' in looked) return looked;
    const { scope, tree, amounts } = looked;
    const id = ids();
    tree.pending.set(id, { scope, amounts });
    // A counter that cannot be told keeps too much, never too little.
    const giveBack = async (): Promise<void> => shared?.giveBack(scope, amounts).catch(() => undefined);
    try {
      const short = await shared?.reserve(scope, amounts, payer.overdraws ?? false);
      if (short) {
        tree.pending.delete(id);
        return { refused: shortageText(short) };
      }
    } catch (error) {
      tree.pending.delete(id);
      throw error;
    }
    const { actions: _, ...some } = amounts;
    const reserved = some.tokens + some.moneyMicros > 0 ? { reserved: some } : {};
    const draw = { scope: scope.id, ...reserved, ...(payer.overdraws ? { overdraws: true as const } : {}) };
    return {
      ...{ id, draw },
      async release() {
        tree.pending.delete(id);
        await giveBack();
      },
      async late(seq) {
        // Where nobody else has written since the look, the entry need not be read to know what it says.
        if (tree.after === seq - 1) {
          takeIntent(tree, { id, run: payer.run, draw, seq });
        } else catchUp(ledger, tree);
        const late = tree.open.get(id)?.void;
        if (!late) return undefined;
        await giveBack();
        return `Another process was first. ${shortageText(late)}`;
      },
    };
  }

  function canGive(id: string, limits: Limits): void {
    refuseBad(limits);
    const { scope, tree } = mustFind(id);
    for (const one of scope.chain) {
      const own = ownLeft(tree, one, passedIn(tree));
      const kind = kindsOf(limits).find((each) => (limits[each] ?? 0) > (own[each] ?? Number.POSITIVE_INFINITY));
      if (kind !== undefined) throw tooMuch(one, kind, limits[kind] ?? 0, own[kind] ?? 0);
    }
  }

  function opened(run: string, key: string): string | undefined {
    const entries = ledger.query({ kinds: ['budget'], run, limit: 10_000 });
    return entries.find(({ body }) => body['key'] === key)?.id;
  }

  async function openScope(request: OpenRequest): Promise<string> {
    const { run, agent, name, parent, key, account, shrink, overdraws } = request;
    const before = key === undefined ? undefined : opened(run, key);
    if (before !== undefined) return before;
    refuseBad(request.limits);
    const above = parent === undefined ? undefined : mustFind(parent);
    if (above && above.scope.chain.length >= maxDepth) throw tooDeep(above.scope, maxDepth);
    if (above && !shrink) canGive(above.scope.id, request.limits);
    const limits = above && shrink ? shrunk(request.limits, left(above, overdraws)) : request.limits;
    const body: BudgetBody = {
      ...{ step: 'opened', name: name.slice(0, 200), limits },
      ...(key === undefined ? {} : { key }),
      ...(account === undefined ? {} : { account }),
    };
    const optional = { ...(agent === undefined ? {} : { agent }), ...(parent === undefined ? {} : { parent }) };
    const claim = key === undefined ? {} : { claim: `budget:${run}:${key}` };
    try {
      return (await ledger.append({ kind: 'budget', run, body: body as JsonObject, ...optional, ...claim })).id;
    } catch (error) {
      const first = isAgovError(error, 'LEDGER_CLAIMED') && key !== undefined ? opened(run, key) : undefined;
      if (first === undefined) throw error;
      return first;
    }
  }

  function statement(id: string): Statement {
    const found = mustFind(id);
    const { chain, ...scope } = found.scope;
    const used = { ...scope.used, ms: Math.floor(passedIn(found.tree)(found.scope)) };
    return { ...scope, used, parent: chain[1]?.id, left: left(found) };
  }

  return {
    ...{ openScope, canGive, statement, take },
    statements({ limit = 1000, ...of }) {
      const entries = ledger.query({ kinds: ['budget'], ...of, limit, newestFirst: true });
      return entries.map(({ id }) => statement(id)).reverse();
    },
    remaining: (id, overdraws) => left(mustFind(id), overdraws),
    refusal(payer, most = {}) {
      const looked = look(payer, most);
      return 'refused' in looked ? looked.refused : undefined;
    },
    settling({ budget }, intent, spent) {
      const tree = budget === undefined ? undefined : shared ? find(budget)?.tree : treeOf(budget);
      const held = tree?.open.get(intent);
      return async (seq) => {
        if (!tree || !held) return;
        if (tree.after === seq - 1) takeOutcome(tree, intent, spent, seq);
        // A counter that cannot be told keeps what was reserved: too much, never too little.
        await shared?.settle(held, spent ?? {}, () => catchUp(ledger, tree)).catch(() => undefined);
      };
    },
  };
}

/** Of those kinds alone that the child is limited in: what it leaves out counts above. */
function shrunk(limits: Limits, left: Limits): Limits {
  const least = (kind: Kind): number => Math.min(limits[kind] ?? 0, left[kind] ?? Number.POSITIVE_INFINITY);
  return Object.fromEntries(kindsOf(limits).map((kind) => [kind, least(kind)]));
}
