/** The table of tiers, row by row, both sides: what it says is allowed, and what it does not say is not. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type Asking, ask } from '../../../test/support/policy.ts';
import { type Action, actions, type Facts, type Tier, tiers } from '../../schemas/index.ts';
import { loadTiers } from '../tiers/index.ts';
import { loadPolicySet, type PolicySet } from './index.ts';

let set: PolicySet;
beforeAll(async () => {
  set = await loadPolicySet({ tiers: await loadTiers(), overrides: { hosts: { T1: ['docs.example.com'] } } });
});

type Answer = 'allow' | 'deny' | `ask ${number}`;
const inside: Facts = { inWorkspace: true, protected: false };
const plan = (environment: string, more: Partial<NonNullable<Facts['plan']>> = {}): Asking => ({
  facts: { plan: { environment, creates: 1, changes: 0, destroys: 0, ...more } },
});

function answer(tier: Tier, action: Action, resource: string, more: Asking = {}): Answer {
  const { verdict, quorum } = set.decide(ask(tier, action, resource, more));
  return verdict === 'ask' ? `ask ${quorum ?? 0}` : verdict;
}

/** Answers from T0 to T4. */
type Row = readonly [what: string, action: Action, resource: string, more: Asking, answers: readonly Answer[]];
const a = 'allow';
const d = 'deny';
const exec: Asking = { facts: { program: '/usr/bin/git' }, args: { argv: ['git', 'status'] } };

const rows: readonly Row[] = [
  ['read in the workspace', 'fs.read', 'src/a.ts', { facts: inside }, [a, a, a, a, d]],
  [
    'read outside of it',
    'fs.read',
    '/etc/passwd',
    { facts: { inWorkspace: false, protected: false } },
    [d, d, d, d, d],
  ],
  ['write in the workspace', 'fs.write', 'src/a.ts', { facts: inside }, [d, a, a, a, d]],
  ['write outside of it', 'fs.write', '../x', { facts: { inWorkspace: false, protected: false } }, [d, d, d, d, d]],
  ['delete in the workspace', 'fs.delete', 'src/a.ts', { facts: inside }, [d, a, a, a, d]],
  [
    'read what is protected',
    'fs.read',
    '.agov/ledger.db',
    { facts: { inWorkspace: true, protected: true } },
    [d, d, d, d, d],
  ],
  [
    'write what is protected',
    'fs.write',
    'agov.yaml',
    { facts: { inWorkspace: true, protected: true } },
    [d, d, d, d, d],
  ],
  ['run a tool', 'process.exec', 'git', exec, [a, a, a, a, d]],
  ['reach a listed host', 'net.request', 'docs.example.com:443', {}, [d, a, a, a, d]],
  ['reach another host', 'net.request', 'evil.example.com:443', {}, [d, d, d, d, d]],
  ['read shared state', 'state.read', 'board', { facts: { own: false } }, [a, a, a, a, d]],
  ['write own state', 'state.write', 'ann/x', { facts: { own: true } }, [d, a, a, a, d]],
  ['write state of others', 'state.write', 'bob/x', { facts: { own: false } }, [d, d, d, d, d]],
  ['read own memory', 'memory.read', 'ann/x', { facts: { own: true } }, [a, a, a, a, d]],
  ['keep own memory', 'memory.write', 'ann/x', { facts: { own: true } }, [a, a, a, a, d]],
  ['read memory of others', 'memory.read', 'bob/x', { facts: { own: false } }, [d, d, d, d, d]],
  ['ask the model', 'model.call', 'default', {}, [a, a, a, a, d]],
  ['call a tool', 'tool.call', 'github.create_issue', {}, [d, a, a, a, d]],
  ['message an agent', 'agent.message', 'bob', {}, [d, a, a, a, d]],
  ['a secret of dev', 'secret.read', 'dev/db', {}, [d, a, a, a, d]],
  ['a secret of staging', 'secret.read', 'staging/db', {}, [d, d, a, a, d]],
  ['a secret of production', 'secret.read', 'prod/db', {}, [d, d, d, 'ask 1', d]],
  ['a secret of governance', 'secret.read', 'governance/key', {}, [d, d, d, d, d]],
  ['a secret of nobody', 'secret.read', 'shared/db', {}, [d, d, d, d, d]],
  ['replace a secret of production', 'secret.write', 'prod/db', {}, [d, d, d, 'ask 1', d]],
  ['replace a secret of dev', 'secret.write', 'dev/db', {}, [d, d, d, d, d]],
  ['plan dev', 'infra.plan', 'dev', {}, [d, a, a, a, d]],
  ['plan staging', 'infra.plan', 'staging', {}, [d, a, a, a, d]],
  ['plan production', 'infra.plan', 'prod', {}, [d, d, 'ask 1', 'ask 1', d]],
  ['plan what nobody named', 'infra.plan', 'qa', {}, [d, d, 'ask 1', 'ask 1', d]],
  ['apply to dev', 'infra.apply', 'dev', plan('dev'), [d, 'ask 1', 'ask 1', 'ask 1', d]],
  ['apply an approved plan to dev', 'infra.apply', 'dev', plan('dev', { approved: true }), [d, 'ask 1', a, a, d]],
  ['apply to staging', 'infra.apply', 'staging', plan('staging'), [d, d, 'ask 1', 'ask 1', d]],
  ['apply an approved plan to staging', 'infra.apply', 'staging', plan('staging', { approved: true }), [d, d, a, a, d]],
  ['change production', 'infra.apply', 'prod', plan('prod'), [d, d, d, 'ask 1', d]],
  ['an approved plan for production', 'infra.apply', 'prod', plan('prod', { approved: true }), [d, d, d, 'ask 1', d]],
  ['change production, destroying', 'infra.apply', 'prod', plan('prod', { destroys: 1 }), [d, d, d, 'ask 2', d]],
  ['a plan for dev on production', 'infra.apply', 'prod', plan('dev', { approved: true }), [d, d, d, d, d]],
  ['a plan for production on dev', 'infra.apply', 'dev', plan('prod', { approved: true }), [d, d, d, d, d]],
  ['destroy production', 'infra.destroy', 'prod', {}, [d, d, d, 'ask 2', d]],
  ['destroy dev', 'infra.destroy', 'dev', {}, [d, d, d, 'ask 2', d]],
  ['commit to own branch', 'repo.commit', 'agov/ann/x', { facts: { ownBranch: true } }, [d, a, a, a, d]],
  ['commit to another branch', 'repo.commit', 'main', { facts: { ownBranch: false } }, [d, d, d, d, d]],
  ['push a branch', 'repo.push', 'agov/ann/x', { facts: { protectedBranch: false } }, [d, d, a, a, d]],
  ['push a protected branch', 'repo.push', 'main', { facts: { protectedBranch: true } }, [d, d, d, d, d]],
  ['merge', 'repo.merge', 'main', {}, [d, d, 'ask 1', 'ask 1', d]],
  [
    'remove an own branch',
    'repo.discard',
    'agov/ann/x',
    { facts: { ownBranch: true, protectedBranch: false } },
    [d, a, a, a, d],
  ],
  [
    'remove a branch of another agent',
    'repo.discard',
    'agov/bob/x',
    { facts: { ownBranch: false, protectedBranch: false } },
    [d, d, a, a, d],
  ],
  [
    'remove a protected branch',
    'repo.discard',
    'agov/bob/x',
    { facts: { ownBranch: false, protectedBranch: true } },
    [d, d, d, d, d],
  ],
  ['start a T0', 'agent.spawn', 'bob', { facts: { target: { tier: 'T0' } } }, [d, d, a, a, d]],
  ['start a T1', 'agent.spawn', 'bob', { facts: { target: { tier: 'T1' } } }, [d, d, a, a, d]],
  ['start a T2', 'agent.spawn', 'bob', { facts: { target: { tier: 'T2' } } }, [d, d, d, d, d]],
  ['start a T4', 'agent.spawn', 'bob', { facts: { target: { tier: 'T4' } } }, [d, d, d, d, d]],
  ['run a pipeline of T1', 'pipeline.run', 'build', { facts: { target: { tier: 'T1' } } }, [d, d, a, a, d]],
  ['run a pipeline of T3', 'pipeline.run', 'build', { facts: { target: { tier: 'T3' } } }, [d, d, d, d, d]],
  ['change tiers', 'governance.tiers', 'T1', {}, [d, d, d, d, 'ask 1']],
  ['change policies', 'governance.policy', 'x', {}, [d, d, d, d, 'ask 1']],
  ['change trust', 'governance.trust', 'ann', {}, [d, d, d, d, 'ask 1']],
  ['change an agent', 'governance.agent', 'ann', {}, [d, d, d, d, 'ask 1']],
];

describe('what each tier may do', () => {
  it.each(rows)('%s', (_, action, resource, more, answers) => {
    expect(tiers.map((tier) => answer(tier, action, resource, more))).toEqual(answers);
  });

  it('covers every action', () => {
    expect(new Set(rows.map(([, action]) => action))).toEqual(new Set(actions));
  });

  it('says yes once enough operators have approved, and not before', () => {
    const destroying = plan('prod', { destroys: 3 });
    expect(answer('T3', 'infra.apply', 'prod', { ...destroying, approvals: 1 })).toBe('ask 2');
    expect(answer('T3', 'infra.apply', 'prod', { ...destroying, approvals: 2 })).toBe('allow');
    expect(answer('T4', 'governance.tiers', 'T1', { approvals: 1 })).toBe('allow');
    expect(answer('T2', 'infra.apply', 'prod', { ...plan('prod'), approvals: 9 })).toBe('deny');
    expect(answer('T3', 'governance.tiers', 'T1', { approvals: 9 })).toBe('deny');
  });
});
