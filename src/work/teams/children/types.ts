/** Agents that agents have started: what is wished for, what there is of them, and what came of it. */
import type { Limits } from '../../../governance/budgets/index.ts';
import type { Begun, Channel } from '../../../governance/governor/index.ts';
import type { Json, JsonObject } from '../../../kernel/index.ts';
import type { Tier } from '../../../schemas/index.ts';
import type { Seat } from '../../agents/index.ts';

export interface ChildWish {
  /** Whose definition it runs by. */
  readonly definition: string;
  /** A label; its name is derived. */
  readonly role: string;
  readonly task: string;
  readonly input?: JsonObject | undefined;
  /** That of its definition when left out. */
  readonly tier?: Tier | undefined;
  readonly limits?: Limits | undefined;
  /** What whoever it stands under spends from, where that is not what that one was handed: the budget of its team. */
  readonly payer?: string | undefined;
  readonly lifeMs?: number | undefined;
  /** None when left out. */
  readonly secrets?: readonly string[] | undefined;
  /** Under whom it stands: who asks, or one below. */
  readonly under?: string | undefined;
  readonly team?: string | undefined;
  readonly peers?: boolean | undefined;
  /** By which a later attempt knows it again. */
  readonly slot?: string | undefined;
  /** Why whatever is over it does not start it; it goes on record. */
  readonly refused?: string | undefined;
  /** What it does in place of running by its definition. */
  readonly work?: (job: ChildJob) => Promise<ChildEnd>;
}

export interface ChildJob {
  readonly channel: Channel;
  /** Above all that it does. */
  readonly intent: string;
  readonly signal: AbortSignal;
}

export interface ChildEnd {
  readonly status: 'ok' | 'failed' | 'unknown';
  /** In the word of its kind; `denied` or `asked` where it did not begin. */
  readonly end: string;
  readonly exitCode: number;
  readonly reason?: string;
  readonly text: string;
  readonly output?: Json;
}

export interface Child {
  readonly name: string;
  readonly role: string;
  readonly definition: string;
  readonly tier: Tier;
  readonly under: string;
  readonly intent: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** Undefined while it goes on. */
  ended(): ChildEnd | undefined;
  /** Rejects where its end could not be recorded. */
  readonly end: Promise<ChildEnd>;
  stop(why: string): void;
}

export interface SpawnCall {
  readonly asker: Seat;
  readonly wish: ChildWish;
  began?(child: Child): void;
}

export type Spawned =
  | { readonly verdict: 'allow'; readonly id: string; readonly child: Child }
  | Exclude<Begun, { readonly verdict: 'allow' }>;

export interface Children {
  /**
   * Starts one in the name of `asker`; it ends with `owner`, whose process asked. `call` is asked when all before it have
   * been started, so that it may count them.
   * @throws NOT_FOUND, AGENT_INVALID, INPUT_INVALID, TOO_MANY_REQUESTS, BUDGET_EXCEEDED
   */
  spawn(call: () => SpawnCall, owner: Seat): Promise<Spawned>;
  /** Those of this run that stand right under the agent, ended ones included. */
  under(channel: Channel): readonly Child[];
  /** Ends what the owner has started, and waits for it. */
  release(owner: Seat): Promise<void>;
}
