/** An agent that is a language model: what its run is given, and how it can end. */
import type { ModelMessage } from '../../../adapters/models/port.ts';
import type { Spent } from '../../../governance/budgets/index.ts';
import type { Json } from '../../../kernel/index.ts';

/** Each with the exit code by which scripts and `retry.on` know it. */
export const endings = {
  finished: 0,
  failed: 1,
  refused: 3,
  steps: 4,
  loop: 5,
  budget: 6,
  parked: 75,
  stopped: 130,
} as const;
export type Ending = keyof typeof endings;

/** All that a conversation is; kept when it is parked, and gone on with. */
export interface Talk {
  readonly messages: ModelMessage[];
  /** Answers of the model so far. */
  steps: number;
  spent: Required<Spent>;
  /** Digests of calls with their results. */
  readonly history: string[];
  /** How often it was told that its answer does not fit, or is empty. */
  reminders: number;
  /** By which data is quoted. */
  readonly mark: string;
}

export interface Ended {
  readonly end: Ending;
  /** One sentence, unless it finished. */
  readonly reason?: string;
  /** The model's last words. */
  readonly text: string;
  /** What it handed in, where the definition says what that is. */
  readonly output?: Json;
  /** The id of the approval that it waits for, and of the intent that asks. */
  readonly asked?: { readonly approval: string; readonly intent: string };
}
