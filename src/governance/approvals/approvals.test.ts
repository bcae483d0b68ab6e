import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Governed, governed } from '../../../test/support/governed.ts';
import type { Intent } from '../../schemas/index.ts';
import { endApprovals, type PendingApproval } from './index.ts';

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

describe('a question of a run that was killed', () => {
  it('is not answered any more, and answered before serves no other run', async () => {
    const { id } = await consented();
    const ended = await endApprovals(
      one.ledger,
      { agents: new Set(), run: 'run-1' },
      { ...by('ada'), reason: 'it lied' },
    );
    expect(ended.map((entry) => entry.id)).toEqual([id]);
    const [last] = one.ledger.query({ kinds: ['approval'], parent: id, newestFirst: true, limit: 1 });
    expect(last?.body).toEqual({ step: 'ended', operator: 'ada', user: 'ada', reason: 'it lied' });
    const again = await one.governor.begin(one.channel('bob', 'run-2'), apply, { facts });
    expect(again.verdict === 'ask' && again.approval.operators).toEqual([]);
    const refused = one.approvals.approve(id, by('grace'), one.policy.version);
    await expect(refused).rejects.toMatchObject({
      code: 'APPROVAL_INVALID',
      why: expect.stringContaining('was killed'),
    });
  });

  it('is refused also where it was asked while the kill was on its way', async () => {
    const begun = await one.governor.begin(one.channel('bob'), apply, { facts });
    const order = { step: 'ordered', deed: 'kill', operator: 'ada', user: 'ada', reason: 'it lied' };
    await one.ledger.append({ kind: 'kill', run: 'run-1', body: order });
    const id = begun.verdict === 'ask' ? begun.approval.id : '';
    const refused = one.approvals.approve(id, by('ada'), one.policy.version);
    await expect(refused).rejects.toMatchObject({ code: 'APPROVAL_INVALID', why: 'Its run run-1 was killed.' });
  });
});
