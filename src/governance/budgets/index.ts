export {
  type Amounts,
  formatAmount,
  type Kind,
  type Limits,
  limitsOf,
  limitsText,
  nameOf,
  plus,
  readSpent,
  type Spent,
} from './account/index.ts';
export { type BudgetsParts, ledgerBudgets } from './budgets.ts';
export { adopt, type Handed, handedSchema, handOver, sharedAccounts } from './shared/index.ts';
export type { Budgets, Hold, OpenRequest, Payer, Statement } from './types.ts';
