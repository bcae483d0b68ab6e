/** What is left of a budget, by what is on record and what is on its way there. */
import { overshot, type Scope, type Shortage, type Tree } from './fold.ts';
import { type Amounts, type Kind, kindsOf, type Limits, leastOf, nothing, plus } from './limits.ts';

/** Milliseconds since the scope began. */
export type Passed = (scope: Scope) => number;

/** Here and above, whichever is less. */
export function leftOf(tree: Tree, chain: readonly Scope[], passed: Passed): Limits {
  return chain.reduce<Limits>((left, one) => leastOf(left, ownLeft(tree, one, passed)), {});
}

/** Without what is above it. */
export function ownLeft(tree: Tree, scope: Scope, passed: Passed): Limits {
  const coming = pendingOf(tree, scope);
  const used = (kind: Kind): number => (kind === 'ms' ? passed(scope) : plus(scope.used[kind], coming[kind]));
  const left = (kind: Kind): number => Math.max(0, Math.floor((scope.limits[kind] ?? 0) - used(kind)));
  return Object.fromEntries(kindsOf(scope.limits).map((kind) => [kind, left(kind)]));
}

/** The first reason in the chain why the amounts cannot be had, time included. */
export function shortage(tree: Tree, chain: readonly Scope[], amounts: Amounts, passed: Passed): Shortage | undefined {
  for (const one of chain) {
    const { ms } = one.limits;
    const used = ms === undefined ? 0 : passed(one);
    if (ms !== undefined && used >= ms) return { scope: one, kind: 'ms', used, wanted: 0 };
    const spent = spentUp(one, pendingOf(tree, one));
    if (spent) return spent;
  }
  return overshot(chain, amounts, (one) => pendingOf(tree, one));
}

/** What is used up refuses also those who would take nothing of it. */
function spentUp(scope: Scope, coming: Amounts): Shortage | undefined {
  for (const kind of ['tokens', 'moneyMicros'] as const) {
    const used = plus(scope.used[kind], coming[kind]);
    if (used >= (scope.limits[kind] ?? Number.POSITIVE_INFINITY)) return { scope, kind, used, wanted: 0 };
  }
  return undefined;
}

function pendingOf({ pending }: Tree, scope: Scope): Amounts {
  if (pending.size === 0) return nothing;
  let [actions, tokens, moneyMicros] = [0, 0, 0];
  for (const { scope: payer, amounts } of pending.values()) {
    if (!payer.chain.includes(scope)) continue;
    actions = plus(actions, amounts.actions);
    tokens = plus(tokens, amounts.tokens);
    moneyMicros = plus(moneyMicros, amounts.moneyMicros);
  }
  return { actions, tokens, moneyMicros };
}
