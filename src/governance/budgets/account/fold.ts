/**
 * The accounts of one tree of budgets, folded from the ledger. The order of the ledger decides who was first: an intent
 * whose reservation does not fit at its place is void for every reader alike, so that processes which write at once
 * cannot overshoot together.
 */
import type { Entry } from '../../../schemas/index.ts';
import { budgetBodySchema, type Draw, drawOf, readSpent } from './entries.ts';
import { type Amounts, type Counted, counted, type Limits, nothing, plus } from './limits.ts';

export interface Scope {
  readonly id: string;
  readonly name: string;
  readonly run: string;
  readonly agent: string | undefined;
  readonly key: string | undefined;
  /** Under which hosts that share the state count together. */
  readonly account: string;
  readonly limits: Limits;
  /** Milliseconds since the epoch. */
  readonly openedAt: number;
  /** Itself, then what is above it, up to the root. */
  readonly chain: readonly Scope[];
  /** All that counts against the limits, what is only reserved included. */
  used: Amounts;
  /** Of it, for intents that are open. */
  reserved: Amounts;
  /** Of it, reserved for what ended without telling what it spent. */
  unknown: Amounts;
}

export interface Tree {
  readonly root: string;
  readonly scopes: Map<string, Scope>;
  /** Allowed intents without an outcome. */
  readonly open: Map<string, Held>;
  /** Allowed in this process and on their way into the ledger. */
  readonly pending: Map<string, Pick<Held, 'scope' | 'amounts'>>;
  /** Position of the last entry that it knows, and the latest time that any of them tells. */
  after: number;
  lastAt: number;
}

export interface Held {
  readonly scope: Scope;
  readonly amounts: Amounts;
  /** Came too late: others had spent what it would have reserved. */
  readonly void: Shortage | undefined;
}

export interface Shortage {
  readonly scope: Scope;
  readonly kind: Counted | 'ms';
  readonly used: number;
  readonly wanted: number;
}

export function emptyTree(root: string, after: number): Tree {
  return { root, scopes: new Map(), open: new Map(), pending: new Map(), after, lastAt: 0 };
}

export function takeEntry(tree: Tree, entry: Entry): void {
  const { id, run, seq, kind, parent, body } = entry;
  tree.after = Math.max(tree.after, seq);
  tree.lastAt = Math.max(tree.lastAt, Date.parse(entry.at));
  if (kind === 'budget') takeOpened(tree, entry);
  else if (kind === 'intent') takeIntent(tree, { id, run, seq, draw: drawOf(entry) });
  else if (kind === 'outcome' && parent !== undefined) takeOutcome(tree, parent, body['spent'], seq);
}

function takeOpened(tree: Tree, { id, parent: above, run = '', agent, at, body }: Entry): void {
  const parent = above === undefined ? undefined : tree.scopes.get(above);
  if (id !== tree.root && !parent) return;
  const { name, limits, key, account = id } = budgetBodySchema.parse(body);
  const chain: Scope[] = [];
  const zero = { used: nothing, reserved: nothing, unknown: nothing };
  const scope = { id, name, run, agent, key, account, limits, openedAt: Date.parse(at), chain, ...zero };
  chain.push(scope, ...(parent?.chain ?? []));
  tree.scopes.set(id, scope);
}

interface Drawn {
  readonly id: string;
  readonly run: string | undefined;
  readonly seq: number;
  readonly draw: Draw | undefined;
}

export function takeIntent(tree: Tree, { id, run, seq, draw }: Drawn): void {
  tree.after = Math.max(tree.after, seq);
  tree.pending.delete(id);
  const scope = draw && tree.scopes.get(draw.scope);
  // Nobody spends from another run's budget: the governor refuses it, and here it counts for nothing.
  if (!scope || scope.run !== run) return;
  const amounts = { ...nothing, actions: 1, ...readSpent(draw.reserved) };
  const late = overshot(heldTo(scope, draw.overdraws), amounts);
  tree.open.set(id, { scope, amounts, void: late });
  if (late) return;
  for (const one of scope.chain) {
    one.used = sum(one.used, amounts);
    one.reserved = sum(one.reserved, { ...amounts, actions: 0 });
  }
}

export function takeOutcome(tree: Tree, intent: string, told: unknown, seq: number): void {
  tree.after = Math.max(tree.after, seq);
  const held = tree.open.get(intent);
  if (!held) return;
  tree.open.delete(intent);
  const spent = readSpent(told);
  const before: Amounts = held.void ? nothing : held.amounts;
  const change = { actions: 0, tokens: 0, moneyMicros: 0 };
  const unknown = { actions: 0, tokens: 0, moneyMicros: 0 };
  for (const kind of ['tokens', 'moneyMicros'] as const) {
    const value = spent[kind];
    if (value === undefined) unknown[kind] = before[kind];
    else change[kind] = value - before[kind];
  }
  const released = { actions: 0, tokens: -before.tokens, moneyMicros: -before.moneyMicros };
  for (const one of held.scope.chain) {
    one.used = sum(one.used, change);
    one.reserved = sum(one.reserved, released);
    one.unknown = sum(one.unknown, unknown);
  }
}

/** Whose limits hold: what overdraws is pardoned by the run's own budget, and by none that was set below it. */
export function heldTo({ chain }: Scope, overdraws: boolean | undefined): readonly Scope[] {
  return overdraws ? chain.slice(0, -1) : chain;
}

/** The first budget of the chain that the amounts do not fit into, `more` being on its way. */
export function overshot(
  chain: readonly Scope[],
  amounts: Amounts,
  more?: (scope: Scope) => Amounts,
): Shortage | undefined {
  for (const one of chain) {
    const coming = more?.(one) ?? nothing;
    for (const kind of counted) {
      const limit = one.limits[kind];
      const used = plus(one.used[kind], coming[kind]);
      if (limit === undefined || amounts[kind] === 0 || used + amounts[kind] <= limit) continue;
      return { scope: one, kind, used, wanted: amounts[kind] };
    }
  }
  return undefined;
}

function sum(one: Amounts, other: Amounts): Amounts {
  return {
    actions: plus(one.actions, other.actions),
    tokens: plus(one.tokens, other.tokens),
    moneyMicros: plus(one.moneyMicros, other.moneyMicros),
  };
}
