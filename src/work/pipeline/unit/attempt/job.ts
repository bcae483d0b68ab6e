/** What a unit is begun with. */
import type { Pipeline } from '../../../../schemas/index.ts';
import type { RunJournal, RunState, Unit } from '../../journal/index.ts';

export interface UnitJob {
  readonly pipeline: Pipeline;
  readonly unit: Unit;
  readonly journal: RunJournal;
  /** Of the run, when the unit was begun. */
  readonly state: RunState;
  readonly signal: AbortSignal;
  /** Those by which it ends because the run itself has lost its turn. */
  readonly lost: readonly AbortSignal[];
}
