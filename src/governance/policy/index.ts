/** Decides allow, ask or deny for every intent: the tiers' own rules and the project's, in Cedar. Pure. */
export type { Facts } from '../../schemas/index.ts';
export { checkPolicies, loadPolicySet, type PolicyOptions, testPolicies } from './load.ts';
export { triedIn } from './rules/tried.ts';
export type {
  ExampleResult,
  Explanation,
  NearPermit,
  PolicyReport,
  PolicySet,
  PolicyText,
  Question,
  TestReport,
  TierVerdict,
} from './types.ts';
