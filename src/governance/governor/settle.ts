/** After a crash: an intent without outcome is said to be `unknown`, never guessed. */
import { z } from 'zod';
import { isAgovError } from '../../kernel/index.ts';
import type { Entry } from '../../schemas/index.ts';
import type { Ledger } from '../ledger/index.ts';
import { governorMarkSchema, mayLive } from './liveness.ts';

const intentBody = z.object({ governor: governorMarkSchema });

export async function settleOpenIntents(ledger: Ledger): Promise<number> {
  let settled = 0;
  for (const id of ledger.openIds()) {
    const entry = ledger.byId(id);
    if (entry?.kind === 'intent' && isOrphan(entry) && (await settle(ledger, entry))) settled += 1;
  }
  return settled;
}

function isOrphan(entry: Entry): boolean {
  return !mayLive(intentBody.parse(entry.body).governor);
}

async function settle(ledger: Ledger, intent: Entry): Promise<boolean> {
  try {
    await ledger.append({
      kind: 'outcome',
      parent: intent.id,
      ...(intent.run ? { run: intent.run } : {}),
      ...(intent.agent ? { agent: intent.agent } : {}),
      body: {
        status: 'unknown',
        reason: 'The governor ended between the effect and its record. Look before you repeat it.',
        facts: {},
      },
      closes: intent.id,
    });
    return true;
  } catch (error) {
    if (isAgovError(error, 'LEDGER_CLAIMED')) return false; // another governor settled it first
    throw error;
  }
}
