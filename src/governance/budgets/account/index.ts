export { steadyClock } from './clock.ts';
export { type BudgetBody, type Draw, readSpent } from './entries.ts';
export {
  emptyTree,
  type Held,
  heldTo,
  type Scope,
  type Shortage,
  type Tree,
  takeEntry,
  takeIntent,
  takeOutcome,
} from './fold.ts';
export { leftOf, ownLeft, type Passed, shortage } from './left.ts';
export {
  type Amounts,
  type Counted,
  counted,
  formatAmount,
  type Kind,
  kindsOf,
  type Limits,
  limitsOf,
  limitsSchema,
  limitsText,
  nameOf,
  plus,
  type Spent,
  wholeAmount,
} from './limits.ts';
export { refuseBad, shortageText, tooDeep, tooMuch } from './refusals.ts';
