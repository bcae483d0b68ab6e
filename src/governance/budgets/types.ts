/** What budgets are asked and what they answer. */
import type { Amounts, Draw, Limits, Spent } from './account/index.ts';

/** Who spends, as the channel says it. */
export interface Payer {
  readonly run: string;
  readonly budget?: string;
  readonly overdraws?: true;
}

export interface OpenRequest {
  /** The run that spends from it; nobody else can. */
  readonly run: string;
  readonly agent?: string;
  readonly name: string;
  readonly limits: Limits;
  /** The budget above it: what is spent here counts there as well. */
  readonly parent?: string;
  /** What the parent has no more is left out of the limits, instead of being refused. */
  readonly shrink?: boolean;
  /** Of one that overdraws: what the run's own budget has left does not shrink it. */
  readonly overdraws?: boolean | undefined;
  /** Opened once for ever under this in its run: whoever asks again gets the same one. */
  readonly key?: string;
  /** The budget of another host that this one counts together with, through the shared state. */
  readonly account?: string;
}

/** A budget as it stands. */
export interface Statement {
  readonly id: string;
  readonly name: string;
  readonly run: string;
  readonly agent: string | undefined;
  readonly key: string | undefined;
  readonly parent: string | undefined;
  /** Under which hosts that share the state count together. */
  readonly account: string;
  readonly limits: Limits;
  readonly openedAt: number;
  /** All that counts, time included: what is reserved and what nobody knows is in it. */
  readonly used: Amounts & { readonly ms: number };
  readonly reserved: Amounts;
  readonly unknown: Amounts;
  /** Here and above, whichever is less; never below zero. */
  readonly left: Limits;
}

/** An intent's place in the accounts, until it is in the ledger. */
export interface Hold {
  /** Under which it must be appended. */
  readonly id: string;
  readonly draw: Draw;
  /** After the append: why it came too late after all, if it did. */
  late(seq: number): Promise<string | undefined>;
  /** Where it is not appended. */
  release(): Promise<void>;
}

export interface Budgets {
  /** Its id. @throws BUDGET_EXCEEDED for more than the parent has left, NOT_FOUND, INPUT_INVALID */
  openScope(request: OpenRequest): Promise<string>;
  /** What is left of each kind that is limited, here or above; for one that overdraws, not counting the run's own. @throws NOT_FOUND */
  remaining(scope: string, overdraws?: boolean): Limits;
  /** @throws BUDGET_EXCEEDED that names the budget which cannot give so much, NOT_FOUND, INPUT_INVALID */
  canGive(scope: string, limits: Limits): void;
  /** @throws NOT_FOUND */
  statement(scope: string): Statement;
  /** Of a run or an agent, in the order in which they began; by default the newest ones of all. */
  statements(of: { readonly run?: string; readonly agent?: string; readonly limit?: number }): readonly Statement[];
  /** Why the payer may not do one thing more that may take `most`; undefined where it may. */
  refusal(payer: Payer, most?: Spent): string | undefined;
  /** Holds one action and `most` for an intent, or says why not. @throws STATE_UNAVAILABLE */
  take(payer: Payer, most?: Spent): Promise<Hold | { readonly refused: string }>;
  /** Call it before the outcome is appended, and what it gives after that, with the entry's number. Never rejects. */
  settling(payer: Payer, intent: string, spent: Spent | undefined): (seq: number) => Promise<void>;
}
