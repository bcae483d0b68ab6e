/** What the governor is asked and what it answers. */
import type { Actor, Standing } from '../../adapters/state/port.ts';
import type { JsonObject } from '../../kernel/index.ts';
import type { ArtifactRef, Decision, Facts, Intent, Outcome } from '../../schemas/index.ts';
import type { PendingApproval } from '../approvals/index.ts';
import type { Limits, Spent } from '../budgets/index.ts';
import type { SpawnWish } from '../delegation/index.ts';
import type { Explanation } from '../policy/index.ts';

/** Who is asking. Filled in by the surface from the connection it holds, never from what came over it. */
export interface Channel {
  readonly agent: string;
  readonly run: string;
  /** Absolute real path that the agent works in. */
  readonly workspace: string;
  /** The budget that all its intents draw on, with those above it. */
  readonly budget?: string;
  /** Counts there and is not refused for it: for what undoes and ends a run. */
  readonly overdraws?: true;
  /** The run of a team that it belongs to, whose board it writes. */
  readonly team?: string;
}

export interface BeginOptions {
  /** The intent above this one. */
  readonly parent?: string;
  /** An entry that may still be on its way to the ledger: unless it gets there nothing is recorded, nor allowed. */
  readonly after?: string;
  /** Of `act`: the caller goes on before what came well of it is on disk. */
  readonly early?: EarlyOutcome | undefined;
  /** The most that the effect may use of a model: held in the channel's budget until its end tells what it was. */
  readonly reserve?: Spent;
  /** What a tool found out about the resource; a fact that the action needs and that is missing denies. */
  readonly facts?: Facts;
  /** An open approval that the facts rest on: an allowed intent uses it up. */
  readonly uses?: string;
  /** A gate: operators who must approve even where the policy would not ask. */
  readonly requireApprovals?: number;
  /** Of a gate: of all who consent, only operators with one of these roles count. */
  readonly roles?: readonly string[];
  /** What the gate says to those whom it asks. */
  readonly asks?: string;
  /** Of `agent.spawn`, which is denied without: what the child would have. */
  readonly spawn?: SpawnWish & {
    readonly limits?: Limits;
    /** What whoever it stands under spends from, where that is not what that one was handed. */
    readonly payer?: string;
  };
}

/** For a caller that rests all it does next on the entry of the outcome. Where a budget is kept it is waited for. */
export interface EarlyOutcome {
  /** The id that the entry is to have. */
  readonly id: string;
  /** Called as soon as the entry is on its way, with what tells when it is on disk. */
  readonly begun: (recorded: Promise<void>) => void;
}

export type Begun =
  | { readonly verdict: 'allow'; readonly id: string; readonly decision: Decision }
  | { readonly verdict: 'ask'; readonly id: string; readonly decision: Decision; readonly approval: PendingApproval }
  | {
      readonly verdict: 'deny';
      readonly id: string;
      readonly decision: Decision;
      /** Not the rules have refused it. */
      readonly code?: 'BUDGET_EXCEEDED';
    };

export interface End extends Outcome {
  /** What it used of a model. Where it is left out, or is no amount, what was reserved stands. */
  readonly spent?: Spent;
  readonly artifacts?: readonly ArtifactRef[];
}

/** What an effect gives back: the outcome for the ledger, and a value for the caller that is not recorded. */
export interface Effected<T> {
  readonly outcome: End;
  readonly value: T;
}

export type Acted<T> =
  | {
      readonly verdict: 'allow';
      readonly id: string;
      readonly decision: Decision;
      readonly outcome: End;
      readonly value: T;
    }
  | Exclude<Begun, { verdict: 'allow' }>;

export interface Governor {
  /** In force; part of what an approval is bound to. */
  readonly policyVersion: string;
  /** Of the actor now, by the ledger and the registry: whichever allows less. @throws STATE_UNAVAILABLE, LEDGER_UNAVAILABLE */
  standing(actor: Actor): Promise<Standing>;
  /**
   * Identifies, decides, records. When it resolves the intent is in the ledger, durable. A denial and a question are
   * values. @throws LEDGER_UNAVAILABLE, DISK_FULL, STATE_UNAVAILABLE: then nothing may be done
   */
  begin(channel: Channel, intent: Intent, options?: BeginOptions): Promise<Begun>;
  /** Records what came of an allowed intent, once. @throws LEDGER_CLAIMED when it has an outcome already */
  end(channel: Channel, id: string, end: End): Promise<void>;
  /** begin, effect, end. An effect that throws has failed; the error goes on to the caller after it is recorded. */
  act<T>(
    channel: Channel,
    intent: Intent,
    effect: (id: string) => Promise<Effected<T>>,
    options?: BeginOptions,
  ): Promise<Acted<T>>;
  /** The verdict that `begin` would reach now, and why; nothing is recorded. `approvals`: as if so many had approved. */
  explain(
    channel: Channel,
    intent: Intent,
    options?: BeginOptions & { readonly approvals?: number },
  ): Promise<Explanation>;
  /** Gives open intents whose governor is dead the outcome `unknown`. Call at start. The number of them. */
  settle(): Promise<number>;
  /** Records an effect that no intent allowed, or an attempt to get out. */
  violation(channel: Channel, what: string, details: JsonObject, parent?: string): Promise<void>;
}
