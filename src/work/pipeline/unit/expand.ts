/** Finds the items of a stage, once, and writes them down; or skips the stage, or fails it. */
import { isAgovError, messageOf } from '../../../kernel/index.ts';
import type { Pipeline } from '../../../schemas/index.ts';
import type { RunJournal, StageBody } from '../journal/index.ts';
import { itemsOf, stageOf, unmetCondition } from '../language/index.ts';

export function expandStage(journal: RunJournal, pipeline: Pipeline, stage: string): void {
  const { agent } = stageOf(pipeline, stage);
  const { state } = journal;
  const write = (body: StageBody, claim: string) =>
    journal.writeStage(body, { agent, claim: `stage:${state.run}:${stage}:${claim}` });
  try {
    const unmet = unmetCondition(pipeline, state, stage);
    if (unmet === undefined) {
      write({ step: 'expanded', stage, items: [...itemsOf(pipeline, state, stage)] }, 'expanded');
    } else {
      write({ step: 'skipped', stage, reason: `The condition does not hold: ${unmet}`.slice(0, 2000) }, 'skipped');
    }
  } catch (error) {
    if (!isAgovError(error, 'INPUT_INVALID')) throw error;
    const reason = messageOf(error).slice(0, 2000);
    write({ step: 'ended', stage, attempt: 1, status: 'failed', reason, outputs: {}, durationMs: 0 }, '1:ended');
  }
}
