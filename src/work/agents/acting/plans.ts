/** Where a plan of infrastructure comes from: only one that this project made, where it is to be applied, is judged at all. */
import type { ToolCall } from '../../../adapters/tools/port.ts';
import type { Approvals } from '../../../governance/approvals/index.ts';
import type { BeginOptions, Channel, Governor } from '../../../governance/governor/index.ts';
import { everyEntry, type Ledger } from '../../../governance/ledger/index.ts';
import { AgovError, type JsonObject } from '../../../kernel/index.ts';

export interface PlanParts {
  readonly governor: Governor;
  readonly ledger: Ledger;
  readonly approvals: Approvals;
}

/** Of a plan: whether it was made here, for this environment, and whether operators have consented to it. */
export async function planFacts(
  { governor, ledger, approvals }: PlanParts,
  channel: Channel,
  call: ToolCall,
): Promise<Pick<BeginOptions, 'facts' | 'uses'>> {
  const { plan, dir, environment } = call.intent.args;
  if (!call.facts.plan || typeof plan !== 'string') return { facts: call.facts };
  if (!madeHere(ledger, { planSha256: plan, dir, environment })) {
    await governor.violation(channel, 'offered a plan that was not made here for this environment', call.intent.args);
    throw new AgovError('DENIED', {
      what: `No terraform.plan of this project made plan ${plan} in ${String(dir)} for ${String(environment)}.`,
      why: 'A plan is judged by the environment that it was made in, so one from elsewhere is not applied.',
      fix: `Make it here: agov terraform plan --agent ${channel.agent} --dir ${String(dir)}`,
    });
  }
  const approval = approvals.forPlan(plan, governor.policyVersion);
  const facts = { ...call.facts, plan: { ...call.facts.plan, approved: approval !== undefined } };
  return { facts, ...(approval ? { uses: approval.id } : {}) };
}

/** Whether some plan's outcome has all these facts. */
function madeHere(ledger: Ledger, wanted: JsonObject): boolean {
  return everyEntry(ledger, { kinds: ['outcome'] }).some(({ body }) => {
    const facts = body['facts'] as JsonObject; // by the governor's schema
    return body['status'] === 'ok' && Object.entries(wanted).every(([name, value]) => facts[name] === value);
  });
}
