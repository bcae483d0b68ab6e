import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Asking, ask, projectWith } from '../../../test/support/policy.ts';
import type { Action, Tier } from '../../schemas/index.ts';
import { loadTiers } from '../tiers/index.ts';
import { type Explanation, loadPolicySet, type PolicySet } from './index.ts';

const cedar = `@id("sealed")
@reason("Once a secret was read the network is closed.")
forbid (principal, action == Agov::Action::"net.request", resource)
when { context.session.secretReads > 0 };

@id("docs")
permit (principal in Agov::Agent::"ann", action == Agov::Action::"net.request", resource is Agov::Endpoint)
when { resource.host == "docs.example.com" && resource.port == 443 }
unless { context has method && context.method == "POST" || context.session.intents > 100 };
`;
const examples = `sealed:
  matches: [{ agent: { tier: T1 }, action: net.request, resource: a.com:443, session: { secretReads: 1 } }]
  ignores: [{ agent: { tier: T1 }, action: net.request, resource: a.com:443 }]
docs:
  matches: [{ agent: { name: ann, tier: T1 }, action: net.request, resource: docs.example.com:443 }]
  ignores: [{ agent: { name: bob, tier: T1 }, action: net.request, resource: docs.example.com:443 }]
`;

const project = projectWith({ 'policies/net.cedar': cedar, 'policies/net.examples.yaml': examples });
let set: PolicySet;
beforeAll(async () => {
  set = await loadPolicySet({ tiers: await loadTiers(), projectDir: project.dir });
});
afterAll(() => {
  set[Symbol.dispose]();
  project[Symbol.dispose]();
});

const explain = (tier: Tier, action: Action, resource: string, more?: Asking): Explanation =>
  set.explain(ask(tier, action, resource, more));
const inside = { inWorkspace: true, protected: false };

describe('explain', () => {
  it('gives the text and the place of what determined the verdict', () => {
    const { decision, determining, nearest } = explain('T1', 'net.request', 'docs.example.com:443', {
      session: { secretReads: 1 },
    });
    expect(decision.verdict).toBe('deny');
    expect(determining).toMatchObject([{ id: 'sealed', effect: 'forbid', file: 'policies/net.cedar', line: 1 }]);
    expect(determining[0]?.text).toContain('context.session.secretReads > 0');
    // The permit holds; it is the forbid that is in the way.
    expect(nearest).toEqual([]);
  });

  it('says which conditions of the nearest permit fail, and only those', () => {
    const failing = (to: string, more?: Asking): readonly string[] | undefined =>
      explain('T1', 'net.request', to, more).nearest.find(({ id }) => id === 'docs')?.failing;
    expect(failing('docs.example.com:80')).toEqual(['resource.port == 443']);
    expect(failing('a.com:80')).toEqual(['resource.host == "docs.example.com"', 'resource.port == 443']);
    expect(failing('docs.example.com:443', { args: { method: 'post' } })).toEqual([
      'unless (context has method) && (context.method == "POST")',
    ]);
    expect(failing('docs.example.com:443', { session: { intents: 101 } })).toEqual([
      'unless context.session.intents > 100',
    ]);
  });

  it('names the scope too where it is the scope that fails', () => {
    const question = ask('T1', 'net.request', 'docs.example.com:443');
    const { nearest } = set.explain({ ...question, agent: { name: 'bob', tier: 'T1' } });
    expect(nearest.find(({ id }) => id === 'docs')?.failing).toEqual(['principal in Agov::Agent::"ann"']);
  });

  it('finds the lowest tier by trying each', () => {
    const { tiers, lowestTier, sentences } = explain('T0', 'fs.write', 'a', { facts: inside });
    expect(lowestTier).toBe('T1');
    expect(tiers.map(({ verdict }) => verdict)).toEqual(['deny', 'allow', 'allow', 'allow', 'deny']);
    expect(sentences).toContain('T1 Executor would be allowed as things are.');
  });

  it('finds how many approvals are needed, here and elsewhere', () => {
    const plan = { environment: 'prod', creates: 0, changes: 0, destroys: 1 };
    const steward = explain('T3', 'infra.apply', 'prod', { facts: { plan } });
    expect(steward).toMatchObject({ approvals: 2, decision: { verdict: 'ask', quorum: 2 } });
    const admin = explain('T2', 'infra.apply', 'prod', { facts: { plan } });
    expect(admin.approvals).toBeUndefined();
    expect(admin.sentences).toContain('T3 Steward would be allowed with 2 approvals.');
  });

  it('says when no tier would be allowed', () => {
    const { sentences } = explain('T1', 'fs.read', '.agov/x', { facts: { inWorkspace: true, protected: true } });
    expect(sentences).toContain('No tier would be allowed as things are.');
  });

  it('has nothing to add to what is allowed, and answers what cannot be judged', () => {
    expect(explain('T1', 'fs.write', 'a', { facts: inside })).toMatchObject({
      nearest: [],
      decision: { verdict: 'allow' },
    });
    expect(explain('T1', 'fs.write', 'a').sentences[1]).toMatch(/is not known/);
  });

  it('is plain JSON', () => {
    const explanation = explain('T1', 'infra.plan', 'prod');
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
  });
});
