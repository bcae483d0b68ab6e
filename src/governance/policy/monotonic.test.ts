/** What a tier may do alone, every higher tier up to T3 may do alone: over generated intents, with and without a project. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { actions, type Facts, type Tier, tierLevel, tiers } from '../../schemas/index.ts';
import { loadTiers, type Overrides } from '../tiers/index.ts';
import { loadPolicySet, type Question } from './index.ts';

const numRuns = Number(process.env['AGOV_PROPERTY_RUNS'] ?? 300);
const ladder: readonly Tier[] = ['T0', 'T1', 'T2', 'T3'];

const environment = fc.constantFrom('dev', 'staging', 'prod', 'production', 'qa');
const small = fc.nat({ max: 2 });
const facts: fc.Arbitrary<Facts> = fc.record({
  inWorkspace: fc.boolean(),
  protected: fc.boolean(),
  program: fc.constantFrom('/usr/bin/git', '/opt/x/tool', '/ws/git'),
  ownBranch: fc.boolean(),
  protectedBranch: fc.boolean(),
  own: fc.boolean(),
  plan: fc.record({ environment, creates: small, changes: small, destroys: small, approved: fc.boolean() }),
  target: fc.record({ tier: fc.constantFrom(...tiers) }),
});
const resources = [
  'dev',
  'staging',
  'prod',
  'qa',
  'git',
  './git',
  'dev/db',
  'staging/db',
  'prod/db',
  'a.com:443',
  'b.com:22',
  'x/y',
];
const questions: fc.Arbitrary<Omit<Question, 'agent'>> = fc
  .record({ action: fc.constantFrom(...actions), resource: fc.constantFrom(...resources), facts, approvals: small })
  .map(({ action, resource, facts, approvals }) => ({
    intent: { action, resource, args: { argv: [resource] } },
    facts,
    approvals,
    session: { intents: 0, denials: 0, secretReads: 0, netRequests: 0 },
  }));

const narrowed: Overrides = {
  tools: { T1: ['git'], T2: ['/opt/x/*'] },
  hosts: { T1: ['a.com'], T3: ['b.com:22'] },
};

describe('tiers are monotonic', () => {
  it.each<[string, Overrides]>([
    ['as declared', {}],
    ['with tools and hosts of a project', narrowed],
  ])('%s', async (_, overrides) => {
    using set = await loadPolicySet({ tiers: await loadTiers(), overrides });
    let allowed = 0;
    const may = (tier: Tier, question: Omit<Question, 'agent'>): boolean =>
      set.decide({ ...question, agent: { name: 'ann', tier } }).verdict === 'allow';
    fc.assert(
      fc.property(questions, (question) => {
        const verdicts = ladder.map((tier) => may(tier, question));
        const first = verdicts.indexOf(true);
        if (first >= 0) allowed += 1;
        expect(first < 0 || verdicts.slice(first).every(Boolean), JSON.stringify(verdicts)).toBe(true);
        // T4 has nothing of theirs, and they nothing of its.
        const governs = question.intent.action.startsWith('governance.');
        expect(may('T4', question)).toBe(governs && question.approvals > 0);
        if (governs) expect(first).toBe(-1);
      }),
      { numRuns },
    );
    // Otherwise the property would hold for want of cases.
    expect(allowed).toBeGreaterThan(numRuns / 20);
  });

  it('ranks the tiers as they are numbered', () => {
    expect(tiers.map(tierLevel)).toEqual([0, 1, 2, 3, 4]);
  });
});
