import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Asking, ask, projectWith } from '../../../test/support/policy.ts';
import type { Action, Decision, Tier } from '../../schemas/index.ts';
import { compileCedar, loadTiers, type Tiers } from '../tiers/index.ts';
import { type SchemaJson, startEngine } from './engine/cedar.ts';
import { loadPolicySet, type PolicySet } from './index.ts';
import type { Rule } from './rules/parse.ts';
import { createPolicySet } from './set.ts';

const builtin = (name: string): URL => new URL(`../../../builtin/${name}`, import.meta.url);
const inside = { inWorkspace: true, protected: false };

let tiers: Tiers;
let set: PolicySet;
beforeAll(async () => {
  tiers = await loadTiers();
  set = await loadPolicySet({ tiers });
});
afterAll(() => set[Symbol.dispose]());

const decide = (tier: Tier, action: Action, resource: string, more: Asking = {}): Decision =>
  set.decide(ask(tier, action, resource, more));

/** The tiers with `rules` beside them that nobody validated: what a defect would let through. */
async function unchecked(...rules: readonly Pick<Rule, 'id' | 'effect' | 'text'>[]): Promise<PolicySet> {
  const schema = JSON.parse(await readFile(builtin('agov.cedarschema.json'), 'utf8')) as SchemaJson;
  const engine = await startEngine(schema);
  const added = rules.map((rule): Rule => ({ ...rule, actions: ['fs.read', 'fs.write'] }));
  return createPolicySet({ engine, tiers, rules: [...compileCedar(tiers), ...added], version: '0'.repeat(64) });
}

describe('uncertainty denies', () => {
  it('when a forbid reads what is not there: Cedar would skip it and allow', async () => {
    const text = 'forbid (principal, action, resource) when { context.owner == "mallory" };';
    using erring = await unchecked({ id: 'no-mallory', effect: 'forbid', text });
    const decision = erring.decide(ask('T1', 'fs.write', 'a', { facts: inside }));
    expect(decision.verdict).toBe('deny');
    expect(decision.policies).toEqual(['no-mallory']);
    expect(decision.reasons[0]).toMatch(/^policy evaluation failed: .*owner/);
  });

  it('when a forbid overflows', async () => {
    const text = 'forbid (principal, action, resource) when { 9223372036854775807 + context.session.intents > 0 };';
    using erring = await unchecked({ id: 'big', effect: 'forbid', text });
    expect(erring.decide(ask('T1', 'fs.write', 'a', { facts: inside, session: { intents: 1 } })).verdict).toBe('deny');
  });

  it('when a rule does not parse at all', async () => {
    using broken = await unchecked({ id: 'x', effect: 'forbid', text: 'forbid (' });
    expect(broken.decide(ask('T1', 'fs.write', 'a', { facts: inside })).reasons[0]).toMatch(
      /^policy evaluation failed/,
    );
  });

  it.each<[string, Asking]>([
    ['a count is no whole number', { facts: inside, session: { denials: 0.5 } }],
    ['a count is not a number', { facts: inside, approvals: Number.NaN }],
  ])('when %s', async (_, more) => {
    const text = 'forbid (principal, action, resource) when { context.session.denials > 5 };';
    using sessions = await unchecked({ id: 's', effect: 'forbid', text });
    const decision = sessions.decide(ask('T1', 'fs.write', 'a', more));
    expect(decision).toMatchObject({ verdict: 'deny', reasons: [expect.stringMatching(/^policy evaluation failed/)] });
  });

  it.each<[Action, string, Asking, RegExp]>([
    ['fs.read', 'a', {}, /in the workspace, and that is not known/],
    ['fs.write', 'a', { facts: { inWorkspace: true } }, /is protected, and that is not known/],
    ['process.exec', 'git', { args: { argv: ['git'] } }, /which program would run/],
    ['process.exec', 'git', { facts: { program: '/usr/bin/git' } }, /args\.argv/],
    ['process.exec', 'git', { facts: { program: '/usr/bin/git' }, args: { argv: ['git', 1] } }, /args\.argv/],
    [
      'process.exec',
      'git',
      { facts: { program: '/usr/bin/git' }, args: { argv: ['sh', '-c', 'x'] } },
      /begins with "sh"/,
    ],
    ['memory.read', 'x', {}, /agent’s own/],
    ['state.write', 'x', {}, /agent’s own/],
    ['infra.apply', 'dev', { approvals: 3 }, /what the plan would do/],
    ['repo.commit', 'x', {}, /agent’s own/],
    ['repo.push', 'x', {}, /is protected/],
    ['repo.discard', 'x', {}, /agent’s own/],
    ['repo.discard', 'x', { facts: { ownBranch: true } }, /is protected/],
    ['agent.spawn', 'x', {}, /highest tier/],
    ['pipeline.run', 'x', {}, /highest tier/],
    ['net.request', 'docs.example.com', {}, /write host:port/],
    ['net.request', 'docs.example.com:0', {}, /write host:port/],
    ['net.request', 'a b:443', {}, /write host:port/],
    ['net.request', 'a.com:443', { args: { method: ['GET'] } }, /args\.method/],
    ['secret.read', 'dev/../prod/db', {}, /not a secret path/],
    ['secret.read', '/dev/db', {}, /not a secret path/],
  ])('when %s of "%s" cannot be judged (%j)', (action, resource, more, sentence) => {
    const decision = decide('T3', action, resource, more);
    expect(decision.verdict).toBe('deny');
    expect(decision.reasons[0]).toMatch(sentence);
  });

  it('when the set is no longer in use', async () => {
    const gone = await loadPolicySet({ tiers });
    const question = ask('T1', 'fs.write', 'a', { facts: inside });
    expect(gone.decide(question).verdict).toBe('allow');
    gone[Symbol.dispose]();
    gone[Symbol.dispose]();
    expect(gone.decide(question).verdict).toBe('deny');
    expect(set.decide(question).verdict).toBe('allow');
  });
});

describe('a decision', () => {
  it('names the policies and gives a sentence', () => {
    expect(decide('T1', 'fs.write', 'a', { facts: inside })).toEqual({
      verdict: 'allow',
      policies: ['tier/T1/fs.write'],
      reasons: ['T1 and above may write and delete in its own workspace.'],
      policyVersion: set.version,
    });
  });

  it('says to a tier that lacks the action who has it', () => {
    const decision = decide('T0', 'fs.write', 'a', { facts: inside });
    expect(decision.policies).toEqual(['ceiling/fs.write']);
    expect(decision.reasons).toEqual([
      'T0 Observer may not fs.write "a" as things are.',
      'T1 and above may write and delete in its own workspace.',
    ]);
  });

  it('says where the tier might, when nothing permits it here', () => {
    const decision = decide('T1', 'fs.write', '/x', { facts: { inWorkspace: false, protected: false } });
    expect(decision.reasons).toEqual([
      'No rule permits T1 Executor to fs.write "/x": it may write and delete in its own workspace.',
    ]);
  });

  it('asks for what is missing', () => {
    const plan = { environment: 'prod', creates: 0, changes: 0, destroys: 4 };
    expect(decide('T3', 'infra.apply', 'prod', { facts: { plan }, approvals: 1 })).toMatchObject({
      verdict: 'ask',
      quorum: 2,
      policies: ['tier/T3/infra.apply/2'],
      reasons: ['1 more approval is needed.', expect.stringContaining('with 2 approvals')],
    });
  });

  it('keeps its version while nothing changes, and changes it with any rule or list', async () => {
    using same = await loadPolicySet({ tiers: await loadTiers() });
    using other = await loadPolicySet({ tiers, overrides: { hosts: { T1: ['a.com'] } } });
    expect(set.version).toMatch(/^[0-9a-f]{64}$/);
    expect(same.version).toBe(set.version);
    expect(other.version).not.toBe(set.version);
  });

  it('is the same after ten thousand others', () => {
    const question = ask('T1', 'fs.write', 'a', { facts: inside });
    for (let i = 0; i < 10_001; i++) set.decide(question);
    expect(set.decide(question).verdict).toBe('allow');
  });

  it('does not come from another set that is loaded beside it', async () => {
    using project = projectWith({
      'policies/a.cedar': '@id("frozen") forbid (principal, action == Agov::Action::"fs.write", resource);',
      'policies/a.examples.yaml': `frozen:
  matches: [{ agent: { tier: T1 }, action: fs.write, resource: a }]
  ignores: [{ agent: { tier: T1 }, action: fs.read, resource: a }]`,
    });
    using frozen = await loadPolicySet({ tiers, projectDir: project.dir });
    const question = ask('T1', 'fs.write', 'a', { facts: inside });
    expect([frozen.decide(question).verdict, set.decide(question).verdict]).toEqual(['deny', 'allow']);
  });
});

describe('a gate', () => {
  const gated = (approvals: number): Decision =>
    decide('T1', 'fs.write', 'a', { facts: inside, approvals, requireApprovals: 2 });

  it('asks until the approvals are there, though the policy would allow', () => {
    expect([0, 1, 2].map((n) => gated(n).verdict)).toEqual(['ask', 'ask', 'allow']);
    expect(gated(0).quorum).toBe(2);
  });

  it('never allows what policy denies', () => {
    expect(decide('T0', 'fs.write', 'a', { facts: inside, approvals: 9, requireApprovals: 1 }).verdict).toBe('deny');
  });

  it('asks for whichever is more, its own number or the policy’s', () => {
    const more = { facts: { target: { tier: 'T0' } }, requireApprovals: 3 } as const;
    expect(decide('T2', 'repo.merge', 'main', more).quorum).toBe(3);
    expect(decide('T3', 'infra.destroy', 'prod', { requireApprovals: 1 }).quorum).toBe(2);
  });

  it('denies when it asks for more than a decision can', () => {
    expect(decide('T1', 'fs.write', 'a', { facts: inside, requireApprovals: 10 }).verdict).toBe('deny');
  });
});

describe('tools and hosts of a project', () => {
  const tool = (tier: Tier, resource: string, program: string): Asking & { readonly of: [Tier, string] } => ({
    of: [tier, resource],
    facts: { program },
    args: { argv: [resource] },
  });

  it('narrow what may run: by name as found on the PATH, by path, by folder', async () => {
    using narrow = await loadPolicySet({ tiers, overrides: { tools: { T3: ['git', '/opt/x/*', '/usr/bin/node'] } } });
    const run = (resource: string, program: string): string =>
      narrow.decide(ask('T1', 'process.exec', resource, tool('T1', resource, program))).verdict;
    expect(run('git', '/usr/bin/git')).toBe('allow');
    expect(run('./git', '/ws/git')).toBe('deny');
    expect(run('/ws/git', '/ws/git')).toBe('deny');
    expect(run('bash', '/usr/bin/bash')).toBe('deny');
    expect(run('anything', '/opt/x/bin/anything')).toBe('allow');
    expect(run('node', '/usr/bin/node')).toBe('allow');
    expect(run('node', '/ws/node')).toBe('deny');
  });

  it('open hosts for a tier and those above, by host, port or domain, however it is spelled', async () => {
    const overrides = { hosts: { T1: ['docs.example.com', 'git.example.com:22', '[::1]:80'], T2: ['*.corp.example'] } };
    using open = await loadPolicySet({ tiers, overrides });
    const reach = (tier: Tier, to: string): string => open.decide(ask(tier, 'net.request', to)).verdict;
    expect(reach('T0', 'docs.example.com:443')).toBe('deny');
    expect(reach('T1', 'docs.example.com:8080')).toBe('allow');
    expect(reach('T1', 'DOCS.example.com.:443')).toBe('allow');
    expect(reach('T1', 'docs.example.com.evil.org:443')).toBe('deny');
    expect(reach('T1', 'git.example.com:443')).toBe('deny');
    expect(reach('T1', '[::1]:80')).toBe('allow');
    expect(reach('T1', 'a.corp.example:443')).toBe('deny');
    expect(reach('T3', 'a.b.corp.example:443')).toBe('allow');
    expect(reach('T3', 'corp.example:443')).toBe('deny');
    expect(reach('T4', 'docs.example.com:443')).toBe('deny');
  });
});

describe('the built-in schema', () => {
  it('is the same in both its forms (vitest -u writes the JSON anew)', async () => {
    const cedar = await import('@cedar-policy/cedar-wasm/nodejs');
    const made = cedar.schemaToJson(await readFile(builtin('agov.cedarschema'), 'utf8'));
    if (made.type === 'failure') throw new Error(JSON.stringify(made.errors));
    expect(JSON.parse(await readFile(builtin('agov.cedarschema.json'), 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(made.json)),
    );
  });

  it('validates every rule of the tiers, also with lists of a project', async () => {
    const cedar = await import('@cedar-policy/cedar-wasm/nodejs');
    const schema = await readFile(builtin('agov.cedarschema'), 'utf8');
    const overrides = {
      tools: { T1: ['git', 'py*', '/opt/x/*'] },
      hosts: { T1: ['a.com:22', '*.b.com'], T2: ['c.com'] },
    };
    for (const compiled of [compileCedar(tiers), compileCedar(tiers, overrides)]) {
      const staticPolicies = Object.fromEntries(compiled.map(({ id, text }) => [id, text]));
      const answer = cedar.validate({ schema, policies: { staticPolicies } });
      expect(answer).toMatchObject({ type: 'success', validationErrors: [], validationWarnings: [] });
    }
  });
});
