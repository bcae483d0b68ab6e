/** A status as the other parts of this folder know it, whichever way it was written. */
import type { Fault, Phase } from '../../../schemas/index.ts';

/** The name of the file in each directory. */
export const statusFile = 'STATUS.md';

export interface Task {
  readonly text: string;
  readonly done: boolean;
}

export interface StatusValue {
  readonly phase: Phase;
  readonly owner?: string;
  /** As it is written: a day, or a time with its zone. */
  readonly updated?: string;
  readonly tasks: readonly Task[];
  readonly depends: readonly string[];
  /** Levels of directories below that should have a status as well; left out where the file does not say. */
  readonly track?: number;
}

/** All levels. */
export const everyLevel = 64;

export type StatusRead =
  | { readonly ok: true; readonly value: StatusValue }
  | { readonly ok: false; readonly faults: readonly Fault[] };
