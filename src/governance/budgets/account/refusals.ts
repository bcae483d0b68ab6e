/** What budgets say when they refuse. */
import { AgovError } from '../../../kernel/index.ts';
import type { Scope, Shortage } from './fold.ts';
import { formatAmount, type Kind, type Limits, limitsSchema, nameOf } from './limits.ts';

export function shortageText({ scope, kind, used, wanted }: Shortage): string {
  const limit = scope.limits[kind] ?? 0;
  const of = `${nameOf(kind)} ${formatAmount(kind, used)} of ${formatAmount(kind, limit)}`;
  const what = `The budget "${scope.name}" of run ${scope.run}`;
  if (used >= limit) return `${what} is used up: ${of}.`;
  return `${what} has too little left: ${of} is used or reserved, and this may take ${formatAmount(kind, wanted)}.`;
}

/** @throws INPUT_INVALID */
export function refuseBad(limits: Limits): void {
  if (limitsSchema.safeParse(limits).success) return;
  throw new AgovError('INPUT_INVALID', {
    what: 'These limits of a budget cannot be counted.',
    why: 'One of them is no whole number of zero or more.',
    fix: 'Give whole numbers: micros of money, tokens, milliseconds, actions.',
  });
}

export function tooMuch({ name, run }: Scope, kind: Kind, wanted: number, left: number): AgovError {
  return new AgovError('BUDGET_EXCEEDED', {
    what: `The budget "${name}" of run ${run} cannot give ${nameOf(kind)} ${formatAmount(kind, wanted)}.`,
    why: `It has ${formatAmount(kind, left)} left, and nobody has more than what is above them.`,
    fix: 'Ask for less, or start with a larger budget.',
  });
}

export function tooDeep({ name }: Scope, most: number): AgovError {
  return new AgovError('INPUT_INVALID', {
    what: `Below the budget "${name}" there can be no other.`,
    why: `Budgets are at most ${most} deep.`,
    fix: 'Delegate from further up.',
  });
}
