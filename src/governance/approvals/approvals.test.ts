import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Governed, governed } from '../../../test/support/governed.ts';
import type { Intent } from '../../schemas/index.ts';
import type { PendingApproval } from './approvals.ts';

let one: Governed;
beforeEach(async () => {
  one = await governed({ agents: { bob: 'T1', tom: 'T2' }, approvalTtlMs: 60_000 });
});
afterEach(() => one[Symbol.asyncDispose]());

const plan = 'a'.repeat(64);
const apply: Intent = { action: 'infra.apply', resource: 'dev', args: { plan } };
const by = (operator: string) => ({ operator, user: operator, via: 'test' });
const facts = { plan: { environment: 'dev', creates: 1, changes: 0, destroys: 0 } };

async function consented(): Promise<PendingApproval> {
  const begun = await one.governor.begin(one.channel('bob'), apply, { facts });
  if (begun.verdict !== 'ask') throw new Error(`expected a question, got ${begun.verdict}`);
  expect(one.approvals.forPlan(plan, one.policy.version)).toBeUndefined();
  return one.approvals.approve(begun.approval.id, by('ada'), one.policy.version);
}

describe('the consent to a plan', () => {
  it('holds for that plan under those rules', async () => {
    const { id } = await consented();
    expect(one.approvals.forPlan(plan, one.policy.version)?.id).toBe(id);
    expect(one.approvals.forPlan('b'.repeat(64), one.policy.version)).toBeUndefined();
    expect(one.approvals.forPlan(plan, 'f'.repeat(64))).toBeUndefined();
  });

  it('ends when another operator says no', async () => {
    const { id } = await consented();
    await one.approvals.deny(id, by('grace'), 'not before the release');
    expect(one.approvals.forPlan(plan, one.policy.version)).toBeUndefined();
  });

  it('ends with its time', async () => {
    await consented();
    one.env.advance(60_001);
    expect(one.approvals.forPlan(plan, one.policy.version)).toBeUndefined();
  });

  it('is used up by whoever rests on it first', async () => {
    const { id } = await consented();
    const resting = { facts: { plan: { ...facts.plan, approved: true } }, uses: id };
    const begun = await one.governor.begin(one.channel('tom'), apply, resting);
    expect(begun.verdict).toBe('allow');
    expect(one.ledger.byId(begun.id)?.body['approval']).toBe(id);
    expect(one.approvals.forPlan(plan, one.policy.version)).toBeUndefined();
    const again = one.governor.begin(one.channel('tom'), apply, resting);
    await expect(again).rejects.toMatchObject({ code: 'APPROVAL_INVALID' });
  });
});
