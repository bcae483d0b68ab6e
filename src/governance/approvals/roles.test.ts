import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Governed, governed } from '../../../test/support/governed.ts';
import type { Intent } from '../../schemas/index.ts';

const roles: Record<string, readonly string[]> = {};
let one: Governed;
beforeEach(async () => {
  for (const name of Object.keys(roles)) delete roles[name];
  Object.assign(roles, { grace: ['release'], hopper: ['release', 'security'], ada: ['docs'] });
  one = await governed({ agents: { bob: 'T1' }, roles });
});
afterEach(() => one[Symbol.asyncDispose]());

const write: Intent = { action: 'fs.write', resource: 'a.txt', args: { sha256: 'a'.repeat(64) } };
const by = (operator: string) => ({ operator, user: operator, via: 'test' });
const begin = (gate: object) => one.governor.begin(one.channel('bob'), write, gate);
const release = { requireApprovals: 1, roles: ['release'] };

async function asked(gate: object): Promise<string> {
  const begun = await begin(gate);
  if (begun.verdict !== 'ask') throw new Error(`expected a question, got ${begun.verdict}`);
  return begun.approval.id;
}
const approve = (id: string, who: string) => one.approvals.approve(id, by(who), one.policy.version);

it('takes consent from those with the role alone, and says which it is', async () => {
  const id = await asked(release);
  const refused = approve(id, 'ada');
  await expect(refused).rejects.toMatchObject({
    code: 'DENIED',
    why: 'It needs an operator with the role "release", and ada has docs.',
  });
  expect((await begin(release)).verdict).toBe('ask');
  await approve(id, 'grace');
  const [granted] = one.ledger.query({ kinds: ['approval'], parent: id });
  expect(granted?.body).toMatchObject({ step: 'granted', operator: 'grace', role: 'release' });
  expect((await begin(release)).verdict).toBe('allow');
});

it('needs as many different people with the role as the gate says', async () => {
  const gate = { requireApprovals: 2, roles: ['release', 'security'] };
  const id = await asked(gate);
  await approve(id, 'grace');
  await expect(approve(id, 'grace')).rejects.toMatchObject({ code: 'CONFLICT' });
  await expect(approve(id, 'ada')).rejects.toMatchObject({ why: expect.stringContaining('one of the roles') });
  expect((await begin(gate)).verdict).toBe('ask');
  await approve(id, 'hopper');
  expect((await begin(gate)).verdict).toBe('allow');
});

it('is answered by no consent to the same bytes that was asked for without the role', async () => {
  const id = await asked({ requireApprovals: 1 });
  await approve(id, 'ada');
  const begun = await begin(release);
  expect(begun.verdict === 'ask' && [begun.approval.id === id, begun.approval.operators]).toEqual([false, []]);
});

it('stays as it was asked when the configuration changes', async () => {
  const id = await asked(release);
  roles['grace'] = [];
  await expect(approve(id, 'grace')).rejects.toMatchObject({ code: 'DENIED' });
  roles['grace'] = ['release'];
  await approve(id, 'grace');
  roles['grace'] = [];
  // Given by somebody who had the role then: it was consent, and stays it.
  expect((await begin(release)).verdict).toBe('allow');
});

it('counts no consent on record that names no role', async () => {
  const id = await asked(release);
  const body = { step: 'granted', ...by('ada') };
  await one.ledger.append({ kind: 'approval', parent: id, agent: 'bob', run: 'run-1', body });
  expect(one.approvals.pending()[0]?.operators).toEqual([]);
  expect((await begin(release)).verdict).toBe('ask');
});

it('puts the gate’s own words before the question', async () => {
  const id = await asked({ ...release, asks: 'Is the window open?' });
  expect(one.approvals.pending().find((open) => open.id === id)?.reasons[0]).toBe('Is the window open?');
});
