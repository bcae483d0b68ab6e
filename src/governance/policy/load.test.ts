import { describe, expect, it } from 'vitest';
import { ask, projectWith } from '../../../test/support/policy.ts';
import { isAgovError } from '../../kernel/index.ts';
import { type Fault, formatFault } from '../../schemas/index.ts';
import { loadTiers } from '../tiers/index.ts';
import { checkPolicies, loadPolicySet, type PolicyReport, type PolicySet, testPolicies } from './index.ts';

const tiers = await loadTiers();
const inside = { inWorkspace: true, protected: false };

type Files = Readonly<Record<string, string>>;
const files = (cedar: string, examples?: string): Files => ({
  'policies/a.cedar': cedar,
  ...(examples === undefined ? {} : { 'policies/a.examples.yaml': examples }),
});

async function check(of: Files): Promise<PolicyReport> {
  using project = projectWith(of);
  return await checkPolicies({ tiers, projectDir: project.dir });
}

async function faults(of: Files): Promise<string[]> {
  return (await check(of)).faults.map(formatFault);
}

async function load(of: Files): Promise<PolicySet> {
  using project = projectWith(of);
  return await loadPolicySet({ tiers, projectDir: project.dir });
}

const noForce = `@id("no-force")
@reason("History is not rewritten.")
forbid (principal, action == Agov::Action::"process.exec", resource)
when { resource.name == "git" && context.argv.contains("--force") };
`;
const noForceExamples = `no-force:
  matches:
    - { agent: { tier: T1 }, action: process.exec, resource: git, args: { argv: [git, push, --force] }, verdict: deny }
  ignores:
    - { agent: { tier: T1 }, action: process.exec, resource: git, args: { argv: [git, status] }, verdict: allow }
`;

describe('a project’s policies', () => {
  it('are in force beside those of the tiers, also from folders below', async () => {
    using set = await load({
      'policies/git/force.cedar': noForce,
      'policies/git/force.examples.yaml': noForceExamples,
    });
    using bare = await loadPolicySet({ tiers });
    const facts = { program: '/usr/bin/git' };
    expect(set.size).toBe(bare.size + 1);
    expect(set.version).not.toBe(bare.version);
    expect(
      set.decide(ask('T1', 'process.exec', 'git', { facts, args: { argv: ['git', 'push', '--force'] } })),
    ).toMatchObject({
      verdict: 'deny',
      policies: ['no-force'],
      reasons: ['History is not rewritten.'],
    });
    expect(set.decide(ask('T1', 'process.exec', 'git', { facts, args: { argv: ['git', 'push'] } })).verdict).toBe(
      'allow',
    );
  });

  it('may be none', async () => {
    expect(await check({ 'README.md': 'x' })).toMatchObject({ ok: true, counts: { files: 0, rules: 0, examples: 0 } });
  });

  it('are refused where the project itself is not there', async () => {
    const report = await checkPolicies({ tiers, projectDir: '/nowhere/at/all' });
    expect(report.faults.map((fault) => fault.message)).toEqual(['There is no folder /nowhere/at/all.']);
  });

  it('are counted', async () => {
    const report = await check(files(noForce, noForceExamples));
    expect(report).toMatchObject({ ok: true, faults: [], counts: { files: 1, rules: 1, examples: 2 } });
    expect(report.counts.builtin).toBeGreaterThan(50);
  });
});

describe('where peers went wrong', () => {
  it('a rule that does not parse refuses the whole set, where theirs dropped it in silence', async () => {
    using project = projectWith(
      files(
        `${noForce}@id("x")\nforbid (principal, action, resource)\nwhen { resource.name = "rm" };`,
        noForceExamples,
      ),
    );
    const error = await loadPolicySet({ tiers, projectDir: project.dir }).catch((e: unknown) => e);
    expect(isAgovError(error, 'POLICY_INVALID')).toBe(true);
    const [fault] = ((isAgovError(error) && error.details?.['faults']) || []) as Fault[];
    expect(fault).toMatchObject({ file: 'policies/a.cedar', line: 7, column: 8 });
  });

  it('no permit, in whatever order, outweighs a forbid', async () => {
    const permit = `@id("all-git")
permit (principal, action == Agov::Action::"process.exec", resource) when { resource.name == "git" };
`;
    const examples = `${noForceExamples}all-git:
  matches: [{ agent: { tier: T1 }, action: process.exec, resource: git, verdict: allow }]
  ignores: [{ agent: { tier: T1 }, action: process.exec, resource: sh }]
`;
    for (const cedar of [permit + noForce, noForce + permit]) {
      using set = await load(files(cedar, examples));
      const asked = { facts: { program: '/usr/bin/git' }, args: { argv: ['git', 'push', '--force'] } };
      expect(set.decide(ask('T1', 'process.exec', 'git', asked))).toMatchObject({
        verdict: 'deny',
        policies: ['no-force'],
      });
    }
  });

  it('a pattern that can never match what it is for is found by its own example', async () => {
    const cedar = `@id("no-rm")
forbid (principal, action == Agov::Action::"process.exec", resource)
when { context.command like "rm -rf" && context.argv.contains("/") };`;
    const examples = `no-rm:
  matches:
    - { agent: { tier: T1 }, action: process.exec, resource: rm, args: { argv: [rm, -rf, /] } }
  ignores:
    - { agent: { tier: T1 }, action: process.exec, resource: rm, args: { argv: [rm, x] } }`;
    expect(await faults(files(cedar, examples))).toEqual([
      'policies/a.examples.yaml:3:7 The rule does not match this example.',
    ]);
  });

  it('approvals that a rule declares are enforced, and no project rule lowers them', async () => {
    const cedar = `@id("bold")
permit (principal, action == Agov::Action::"infra.apply", resource) when { context.plan.destroys < 10 };`;
    const plan = '{ environment: prod, destroys: 1 }';
    const examples = `bold:
  matches: [{ agent: { tier: T3 }, action: infra.apply, resource: prod, facts: { plan: ${plan} }, approvals: 2 }]
  ignores: [{ agent: { tier: T3 }, action: infra.apply, resource: prod, facts: { plan: { environment: prod, destroys: 10 } } }]`;
    using set = await load(files(cedar, examples));
    const facts = { plan: { environment: 'prod', creates: 0, changes: 0, destroys: 1 } };
    expect(
      [0, 1, 2].map((approvals) => set.decide(ask('T3', 'infra.apply', 'prod', { facts, approvals })).verdict),
    ).toEqual(['ask', 'ask', 'allow']);
    expect(set.decide(ask('T2', 'infra.apply', 'prod', { facts, approvals: 2 })).verdict).toBe('deny');
  });

  it('rules see the arguments of a tool, and a key with a dot cannot pose as a path', async () => {
    const cedar = `@id("no-public")
forbid (principal, action == Agov::Action::"tool.call", resource)
when { resource.name == "github.create_repo" && resource.hasTag("repo.private") && resource.getTag("repo.private") == "false" };`;
    const asked = 'agent: { tier: T1 }, action: tool.call, resource: github.create_repo';
    const examples = `no-public:
  matches: [{ ${asked}, args: { repo: { private: false } }, verdict: deny }]
  ignores: [{ ${asked}, args: { repo: { private: true } }, verdict: allow }]`;
    using set = await load(files(cedar, examples));
    const call = (args: Parameters<typeof ask>[3]): string =>
      set.decide(ask('T1', 'tool.call', 'github.create_repo', args)).verdict;
    expect(call({ args: { repo: { private: false }, 'repo.private': true } })).toBe('deny');
    expect(call({ args: { many: Array.from({ length: 2000 }, (_, i) => i) } })).toBe('deny');
  });

  it('rules see the file, however it is spelled, and the branch', async () => {
    const cedar = `@id("no-env") forbid (principal, action in Agov::Action::"fs", resource) when { resource.path like ".env*" };
@id("no-wip") forbid (principal, action == Agov::Action::"repo.push", resource) when { resource.name == "wip" };`;
    const push = 'agent: { tier: T2 }, action: repo.push, resource';
    const examples = `no-env:
  matches: [{ agent: { tier: T1 }, action: fs.read, resource: .env }]
  ignores: [{ agent: { tier: T1 }, action: fs.read, resource: env }]
no-wip:
  matches: [{ ${push}: wip }]
  ignores: [{ ${push}: done }]`;
    using set = await load(files(cedar, examples));
    const read = (resource: string, path?: string): string =>
      set.decide(ask('T1', 'fs.read', resource, { facts: { ...inside, ...(path ? { path } : {}) } })).verdict;
    expect(['.env', './.env', 'src/../.env', 'src//..//.env.local'].map((one) => read(one))).toEqual(
      Array(4).fill('deny'),
    );
    expect(read('link', '.env')).toBe('deny');
    expect(read('/ws/.env', '.env')).toBe('deny');
    expect(read('env')).toBe('allow');
    const facts = { protectedBranch: false };
    expect(set.decide(ask('T2', 'repo.push', 'refs/heads/wip', { facts })).verdict).toBe('deny');
  });

  it('rules see what happened before in the session', async () => {
    const cedar = `@id("sealed")
forbid (principal, action == Agov::Action::"tool.call", resource) when { context.session.secretReads > 0 };`;
    const examples = `sealed:
  matches: [{ agent: { tier: T1 }, action: tool.call, resource: x, session: { secretReads: 1 } }]
  ignores: [{ agent: { tier: T1 }, action: tool.call, resource: x }]`;
    using set = await load(files(cedar, examples));
    expect(set.decide(ask('T1', 'tool.call', 'x')).verdict).toBe('allow');
    expect(set.decide(ask('T1', 'tool.call', 'x', { session: { secretReads: 2 } })).verdict).toBe('deny');
  });
});

describe('the ceiling', () => {
  it('holds under a project that permits everything to everyone', async () => {
    const cedar = '@id("all") permit (principal, action, resource) when { context.session.denials == 0 };';
    const examples = `all:
  matches: [{ agent: { tier: T1 }, action: fs.write, resource: /elsewhere, facts: { inWorkspace: false }, verdict: allow }]
  ignores: [{ agent: { tier: T1 }, action: fs.write, resource: x, session: { denials: 1 } }]`;
    using set = await load(files(cedar, examples));
    const verdict = (...asked: Parameters<typeof ask>): string => set.decide(ask(...asked)).verdict;
    const outside = { inWorkspace: false, protected: false };
    expect(verdict('T1', 'fs.write', '/elsewhere', { facts: outside })).toBe('allow');
    expect(verdict('T1', 'net.request', 'a.com:443')).toBe('allow');
    expect(verdict('T1', 'secret.read', 'shared/x')).toBe('allow');

    expect(verdict('T0', 'fs.write', 'x', { facts: inside })).toBe('deny');
    expect(verdict('T4', 'fs.read', 'x', { facts: inside })).toBe('deny');
    expect(verdict('T3', 'governance.tiers', 'x', { approvals: 3 })).toBe('deny');
    expect(verdict('T4', 'governance.tiers', 'x')).toBe('ask');
    expect(verdict('T3', 'fs.write', 'agov.yaml', { facts: { inWorkspace: true, protected: true } })).toBe('deny');
    expect(verdict('T2', 'repo.merge', 'main')).toBe('ask');
    expect(verdict('T2', 'repo.push', 'main', { facts: { protectedBranch: true } })).toBe('deny');
    expect(verdict('T2', 'agent.spawn', 'x', { facts: { target: { tier: 'T2' } } })).toBe('deny');
    expect(verdict('T1', 'infra.plan', 'prod', { approvals: 3 })).toBe('deny');
    expect(verdict('T2', 'secret.read', 'prod/db', { approvals: 3 })).toBe('deny');
    expect(verdict('T3', 'secret.read', 'prod/db')).toBe('ask');
    expect(verdict('T3', 'secret.read', 'governance/key', { approvals: 3 })).toBe('deny');
  });
});

describe('what is refused, and where', () => {
  const example = '{ agent: { tier: T1 }, action: fs.write, resource: x }';
  const read = '{ agent: { tier: T1 }, action: fs.read, resource: x }';
  const both = (id: string): string => `${id}:\n  matches: [${example}]\n  ignores: [${read}]\n`;
  const forbidWrite = 'forbid (principal, action == Agov::Action::"fs.write", resource)';

  it.each<[string, Files, string[]]>([
    ['no id', files(`// é\n${forbidWrite};`), ['policies/a.cedar:2:1 The policy has no @id("…").']],
    [
      'an id that is the tiers’',
      files(`@id("tier/x") ${forbidWrite};`),
      ['policies/a.cedar:1:1 The id "tier/x" begins with a prefix that is kept for tiers.'],
    ],
    [
      'an id like a ceiling',
      files(`@id("ceiling/fs.read") ${forbidWrite};`),
      ['policies/a.cedar:1:1 The id "ceiling/fs.read" begins with a prefix that is kept for tiers.'],
    ],
    [
      'an unknown annotation',
      files(`@id("a") @reson("x") ${forbidWrite};`, both('a')),
      ['policies/a.cedar:1:1 The annotation @reson is not known here. Did you mean "reason"?'],
    ],
    [
      'an id twice',
      files(`@id("a") ${forbidWrite};\n  @id("a") ${forbidWrite};`, both('a')),
      ['policies/a.cedar:2:3 The id "a" is taken by policies/a.cedar:1.'],
    ],
    [
      'an attribute that does not exist',
      files(`@id("é-no") ${forbidWrite};\n@id("a") ${forbidWrite}\nwhen { context.inWorkspce };`),
      [
        'policies/a.cedar:1:1 The id "é-no" may hold only a-z 0-9 . _ / -, up to 100 of them.',
        'policies/a.cedar:3:8 attribute `inWorkspce` in context for Agov::Action::"fs.write" not found. Did you mean `inWorkspace`?',
      ],
    ],
    [
      'an optional attribute without a guard',
      files(
        '@id("a") forbid (principal, action == Agov::Action::"net.request", resource)\nwhen { context.method == "POST" };',
      ),
      [
        expect.stringMatching(
          /^policies\/a\.cedar:2:8 unable to guarantee safety of access to optional attribute `method`/,
        ) as string,
      ],
    ],
    [
      'what no request can satisfy',
      files(`@id("a") ${forbidWrite} when { resource is Agov::Secret };`),
      [expect.stringMatching(/^policies\/a\.cedar:1:1 policy is impossible/) as string],
    ],
    [
      'an action that does not exist',
      files('@id("a") forbid (principal, action == Agov::Action::"fs.wrte", resource);'),
      expect.arrayContaining([
        expect.stringMatching(/^policies\/a\.cedar:1:\d+ unrecognized action `Agov::Action::"fs.wrte"`/),
      ]) as unknown as string[],
    ],
    [
      'a template',
      files('@id("a") permit (principal == ?principal, action, resource);'),
      ['policies/a.cedar:1:1 Templates (?principal, ?resource) are not used here: write a policy.'],
    ],
    [
      'no examples file',
      files(`\n@id("a") ${forbidWrite};`),
      [
        'policies/a.cedar:2:1 Rule "a" has no example that it matches.',
        'policies/a.cedar:2:1 Rule "a" has no example that it ignores.',
      ],
    ],
    [
      'no example on one side',
      files(`@id("a") ${forbidWrite};`, `a:\n  matches: [${example}]\n`),
      ['policies/a.cedar:1:1 Rule "a" has no example that it ignores.'],
    ],
    [
      'an example of what is to be ignored that matches',
      files(`@id("a") ${forbidWrite};`, `a:\n  matches: [${example}]\n  ignores:\n    - ${example}\n`),
      ['policies/a.examples.yaml:4:7 The rule matches this example, which it is to ignore.'],
    ],
    [
      'a verdict that differs',
      files(
        `@id("a") ${forbidWrite};`,
        `a:\n  matches:\n    - { verdict: allow, ${example.slice(1)}\n  ignores: [${read}]\n`,
      ),
      ['policies/a.examples.yaml:3:7 The verdict is deny, not allow: a.'],
    ],
    [
      'an example for a rule that is not there',
      files(`@id("write") ${forbidWrite};`, both('write') + both('wriet')),
      ['policies/a.examples.yaml:4:1 policies/a.cedar has no rule "wriet". Did you mean "write"?'],
    ],
    [
      'an example that cannot be judged',
      files(
        '@id("a") forbid (principal, action == Agov::Action::"net.request", resource);',
        'a:\n  matches: [{ agent: { tier: T1 }, action: net.request, resource: a.com }]\n  ignores: [{ agent: { tier: T1 }, action: fs.read, resource: x }]\n',
      ),
      ['policies/a.examples.yaml:2:13 This example cannot be judged: "a.com" is not an endpoint: write host:port.'],
    ],
    [
      'an examples file with a slip',
      files(`@id("a") ${forbidWrite};`, 'a:\n  matches: [{ agent: { tier: T1 }, acton: fs.write, resource: x }]\n'),
      [
        'policies/a.examples.yaml:2:13 "action" is missing; it is one of 27 known values.',
        'policies/a.examples.yaml:2:36 The key "acton" is not known here. Did you mean "action"?',
      ],
    ],
    [
      'examples without policies',
      { 'policies/b.examples.yaml': both('a') },
      ['policies/b.examples.yaml:1:1 There is no policies/b.cedar that these examples are about.'],
    ],
  ])('%s', async (_, of, expected) => {
    expect(await faults(of)).toEqual(expected);
  });

  it('a permit that a ceiling always outweighs', async () => {
    const cedar =
      '@id("lift") permit (principal, action == Agov::Action::"fs.write", resource) when { principal.level == 0 };';
    const examples = `lift:
  matches: [{ agent: { tier: T0 }, action: fs.write, resource: x }]
  ignores: [${example}]`;
    expect(await faults(files(cedar, examples))).toEqual([
      'policies/a.cedar:1:1 Rule "lift" decides nothing: no example can reach it: ceiling/fs.write always wins.',
    ]);
  });

  it('a forbid of what a ceiling forbids anyway', async () => {
    const cedar =
      '@id("twice") forbid (principal, action == Agov::Action::"fs.write", resource) when { context.protected };';
    const examples = `twice:
  matches: [{ agent: { tier: T1 }, action: fs.write, resource: x, facts: { protected: true } }]
  ignores: [${example}]`;
    expect((await faults(files(cedar, examples)))[0]).toContain('no example can reach it: ceiling/protected');
  });

  it('a permit that another rule of the project always outweighs', async () => {
    const cedar = `@id("open") permit (principal, action == Agov::Action::"fs.write", resource) when { resource.path == "x" };
@id("shut") forbid (principal, action == Agov::Action::"fs.write", resource) when { resource.path like "*" };`;
    const other = '{ agent: { tier: T1 }, action: fs.write, resource: y }';
    const examples = `open:\n  matches: [${example}]\n  ignores: [${other}]\nshut:\n  matches: [${other}]\n  ignores: [${read}]\n`;
    expect(await faults(files(cedar, examples))).toEqual([
      'policies/a.cedar:1:1 Rule "open" decides nothing: no example can reach it: shut always wins.',
    ]);
  });

  it('policies past the tenth at their own place', async () => {
    const rules = Array.from({ length: 12 }, (_, i) => `@id("r${i}") ${forbidWrite} when { resource.path == "${i}" };`);
    const report = await check(files(rules.join('\n')));
    expect(
      report.faults.filter((f) => f.message.includes('it matches')).map((f) => [f.line, f.message.split('"')[1]]),
    ).toEqual(rules.map((_, i) => [i + 1, `r${i}`]));
  });
});

describe('testPolicies', () => {
  it('reports each example with what was expected and what came', async () => {
    using project = projectWith(files(noForce, noForceExamples.replace('verdict: allow', 'verdict: ask')));
    const report = await testPolicies({ tiers, projectDir: project.dir });
    expect(report.ok).toBe(false);
    expect(
      report.examples.map(({ rule, kind, line, expected, actual, ok }) => ({ rule, kind, line, expected, actual, ok })),
    ).toEqual([
      { rule: 'no-force', kind: 'matches', line: 3, expected: 'matches, deny', actual: 'matches, deny', ok: true },
      { rule: 'no-force', kind: 'ignores', line: 5, expected: 'ignores, ask', actual: 'ignores, allow', ok: false },
    ]);
  });
});
