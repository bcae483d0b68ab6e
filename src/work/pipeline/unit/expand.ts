/** Finds the items of a stage, once, and writes them down; or skips the stage, or fails it. */
import type { Ledger } from '../../../governance/ledger/index.ts';
import { isAgovError, type JsonObject, messageOf } from '../../../kernel/index.ts';
import type { Pipeline } from '../../../schemas/index.ts';
import type { RunState, StageBody } from '../journal/index.ts';
import { itemsOf, meetsCondition, stageOf } from '../language/index.ts';

export async function expandStage(ledger: Ledger, pipeline: Pipeline, state: RunState, stage: string): Promise<void> {
  const { agent, when } = stageOf(pipeline, stage);
  const { run } = state;
  const write = (body: StageBody, claim: string) =>
    ledger.append({ kind: 'stage', run, agent, body: body as JsonObject, claim: `stage:${run}:${stage}:${claim}` });
  try {
    if (meetsCondition(pipeline, state, stage)) {
      await write({ step: 'expanded', stage, items: [...itemsOf(pipeline, state, stage)] }, 'expanded');
    } else {
      await write({ step: 'skipped', stage, reason: `The condition does not hold: ${when}`.slice(0, 2000) }, 'skipped');
    }
  } catch (error) {
    if (!isAgovError(error, 'INPUT_INVALID')) throw error;
    const reason = messageOf(error).slice(0, 2000);
    await write({ step: 'ended', stage, attempt: 1, status: 'failed', reason, outputs: {}, durationMs: 0 }, '1:ended');
  }
}
