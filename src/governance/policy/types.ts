/** What policy is asked and what it answers. */
import type { JsonObject } from '../../kernel/index.ts';
import type { Decision, Facts, Fault, Intent, Tier, Verdict } from '../../schemas/index.ts';

export interface Question {
  readonly agent: { readonly name: string; readonly tier: Tier };
  readonly intent: Intent;
  /** What the governor found out. A fact that the action needs and that is missing denies. */
  readonly facts: Facts;
  /** What happened before in this run. */
  readonly session: {
    readonly intents: number;
    readonly denials: number;
    readonly secretReads: number;
    readonly netRequests: number;
  };
  /** Distinct operators who approved exactly this intent. */
  readonly approvals: number;
  /** A gate: the verdict is at least `ask` until approvals reach it. */
  readonly requireApprovals?: number;
}

export interface PolicySet extends Disposable {
  /** SHA-256 over tiers, overrides, schema and project policies. */
  readonly version: string;
  /** Policies in force: those of the tiers, the ceilings, the project's. */
  readonly size: number;
  /** Pure and synchronous; never throws. Whatever goes wrong denies. */
  decide(question: Question): Decision;
  /** The decision, why, and what would have to be different; found by trying. */
  explain(question: Question): Explanation;
}

export interface PolicyText {
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  readonly reason?: string;
  readonly text: string;
  /** Where it is written; absent for what the tiers declare. */
  readonly file?: string;
  readonly line?: number;
}

export interface NearPermit extends PolicyText {
  /** The conditions of it that do not hold, as Cedar text. */
  readonly failing: readonly string[];
}

export interface TierVerdict {
  readonly tier: Tier;
  readonly verdict: Verdict;
  readonly quorum?: number;
}

export interface Explanation {
  readonly decision: Decision;
  readonly determining: readonly PolicyText[];
  /** The verdict on the same intent at each tier, all else equal. */
  readonly tiers: readonly TierVerdict[];
  /** The lowest tier that would be allowed as things are. */
  readonly lowestTier?: Tier;
  /** Approvals at which this agent would be allowed. */
  readonly approvals?: number;
  /** Permits that come nearest, those with the fewest failing conditions first. Empty when allowed. */
  readonly nearest: readonly NearPermit[];
  /** All of the above for people, the verdict first. */
  readonly sentences: readonly string[];
}

export interface PolicyReport {
  readonly ok: boolean;
  readonly version: string;
  readonly counts: {
    readonly files: number;
    readonly rules: number;
    readonly examples: number;
    readonly builtin: number;
  };
  readonly faults: readonly Fault[];
}

export interface ExampleResult {
  readonly rule: string;
  readonly kind: 'matches' | 'ignores';
  readonly file: string;
  readonly line: number;
  /** What was asked, as it was written. */
  readonly question: JsonObject;
  /** `matches` or `ignores`, and the verdict where the example names one. */
  readonly expected: string;
  readonly actual: string;
  readonly ok: boolean;
}

export interface TestReport {
  readonly ok: boolean;
  readonly examples: readonly ExampleResult[];
  readonly faults: readonly Fault[];
}
