/** Which rules decided what is part of the proof: a policy set that was not in force before is an entry. */
import { isAgovError } from '../../kernel/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { PolicySet } from '../policy/index.ts';

export async function recordPolicy(ledger: Ledger, policy: PolicySet): Promise<void> {
  const [last] = ledger.query({ kinds: ['policy'], newestFirst: true, limit: 1 });
  if (last?.body['version'] === policy.version) return;
  try {
    await ledger.append({
      kind: 'policy',
      body: { version: policy.version, policies: policy.size },
      claim: `policy:${last?.seq ?? -1}:${policy.version}`,
    });
  } catch (error) {
    if (!isAgovError(error, 'LEDGER_CLAIMED')) throw error; // another process recorded it at the same moment
  }
}
