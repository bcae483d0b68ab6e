import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { isAgovError } from '../../kernel/index.ts';
import { actions, tiers as allTiers, type Fault, formatFault, type Tier } from '../../schemas/index.ts';
import {
  compileCedar,
  compileSandbox,
  compileVault,
  egressHosts,
  leaseMs,
  loadTiers,
  type Overrides,
  sandboxFor,
  toolLists,
} from './index.ts';

const builtinFile = new URL('../../../builtin/tiers.yaml', import.meta.url);
const builtinText = await readFile(builtinFile, 'utf8');
const tiers = await loadTiers();

async function faults(text: string): Promise<string[]> {
  const error = await loadTiers({ text }).catch((e: unknown) => e);
  if (!isAgovError(error, 'CONFIG_INVALID')) throw error;
  return ((error.details?.['faults'] ?? []) as Fault[]).map(formatFault);
}

function whyRefused(use: () => unknown): string {
  try {
    use();
  } catch (error) {
    if (isAgovError(error, 'CONFIG_INVALID')) return `${error.what} ${error.why}`;
    throw error;
  }
  return 'not refused';
}

describe('the declaration', () => {
  it('names the five tiers and how long their leases live', () => {
    expect(allTiers.map((tier) => tiers.declaration.tiers[tier].name)).toEqual([
      'Observer',
      'Executor',
      'Admin',
      'Steward',
      'Governor',
    ]);
    expect(allTiers.map((tier) => leaseMs(tiers, tier) / 60_000)).toEqual([15, 15, 10, 5, 2]);
  });

  it('is the same to its hash whatever its layout, and another one when a word changes', async () => {
    expect((await loadTiers({ text: `# a comment\n${builtinText}` })).hash).toBe(tiers.hash);
    expect((await loadTiers({ text: builtinText.replace('lease: 10m', 'lease: 9m') })).hash).not.toBe(tiers.hash);
  });

  it('may be a project’s own file, and is missed where it is not there', async () => {
    expect((await loadTiers({ file: builtinFile.pathname })).hash).toBe(tiers.hash);
    await expect(loadTiers({ file: '/nowhere/tiers.yaml' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it.each<[string, string, string, RegExp]>([
    [
      'an unknown key',
      'where: { own: true }',
      'where: { owm: true }',
      /^tiers\.yaml:\d+:\d+ The key "owm" is not known here\. Did you mean "own"\?$/,
    ],
    [
      'an unknown action',
      'actions: [fs.read]',
      'actions: [fs.raed]',
      /must be one of 27 known values, not "fs\.raed"\. Did you mean "fs\.read"\?$/,
    ],
    [
      'a condition about something else',
      'where: { branch: own }',
      'where: { plan: approved }',
      /:\d+:\d+ "plan" says nothing about repo\.commit\.$/,
    ],
    [
      'governance below T4',
      'actions: [repo.merge]',
      'actions: [governance.trust]',
      /Only T4 may have governance\.trust\.$/,
    ],
    ['T4 with anything else', 'governance.trust, ', 'fs.read, ', /T4 may have nothing but governance\.\*\.$/],
    ['a lease without a unit', 'lease: 2m', 'lease: 2', /"lease" must be a text/],
    ['a wildcard in the middle of a secret path', '[prod/*]', '["*/prod"]', /write a path, or a folder/],
    ['no approval at all', 'approvals: 2', 'approvals: 0', /"approvals"/],
  ])('is refused for %s, with the place', async (_, from, to, expected) => {
    expect(builtinText).toContain(from);
    expect((await faults(builtinText.replace(from, to)))[0]).toMatch(expected);
  });

  it('is refused when T4 acts alone', async () => {
    const at = builtinText.indexOf('name: Governor');
    const governor = builtinText.slice(at).replace('approved:', 'alone:').replace('        approvals: 1\n', '');
    const alone = builtinText.slice(0, at) + governor;
    expect(await faults(alone)).toContainEqual(expect.stringContaining('Every act of T4 needs an approval.'));
  });

  it('is refused when a tier is missing', async () => {
    expect((await faults(builtinText.slice(0, builtinText.indexOf('  T4:'))))[0]).toContain('"T4" is missing.');
  });
});

describe('compiled to Cedar', () => {
  it('gives every action a ceiling, so that what is granted nowhere is nobody’s', async () => {
    const ids = compileCedar(tiers).map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(actions.map((action) => `ceiling/${action}`)));
    expect(new Set(ids).size).toBe(ids.length);
    const without = await loadTiers({ text: builtinText.replace('fs.write, fs.delete', 'fs.write') });
    const ceiling = compileCedar(without).find(({ id }) => id === 'ceiling/fs.delete');
    expect(ceiling?.text).toMatch(/resource\);$/);
  });

  it('keeps the firm part of a grant in its ceiling and leaves the loose part out', () => {
    const text = (id: string): string => compileCedar(tiers).find((policy) => policy.id === id)?.text ?? '';
    expect(text('tier/T1/fs.write')).toContain('context.inWorkspace');
    expect(text('ceiling/fs.write')).not.toContain('context.inWorkspace');
    expect(text('ceiling/infra.apply')).toContain('context.approvals >= 2 && context.plan.destroys > 0');
    expect(text('ceiling/secret.read')).toContain('resource.path like "governance/*"');
  });
});

describe('compiled to sandboxes', () => {
  it('follows the table', () => {
    const profiles = compileSandbox(tiers, { hosts: { T1: ['a.com'], T3: ['b.com'] } });
    expect(profiles).toEqual({
      T0: { access: 'read-only', network: 'none', hosts: [] },
      T1: { access: 'read-write', network: 'listed', hosts: ['a.com'] },
      T2: { access: 'read-write', network: 'listed', hosts: ['a.com'] },
      T3: { access: 'per-action', network: 'per-action', hosts: ['a.com', 'b.com'] },
      T4: { access: 'none', network: 'none', hosts: [] },
    });
  });

  it('gives T3 for one action what this action cannot do without', () => {
    const { T1, T3, T4 } = compileSandbox(tiers, { hosts: { T1: ['a.com'] } });
    expect(sandboxFor(T3, 'infra.apply')).toEqual({ access: 'read-write', network: 'listed', hosts: ['a.com'] });
    expect(sandboxFor(T3, 'fs.write')).toEqual({ access: 'read-write', network: 'none', hosts: [] });
    expect(sandboxFor(T3, 'fs.read')).toEqual({ access: 'read-only', network: 'none', hosts: [] });
    expect(sandboxFor(T1, 'fs.read')).toEqual({ access: 'read-write', network: 'listed', hosts: ['a.com'] });
    expect(sandboxFor(T4, 'process.exec')).toEqual({ access: 'none', network: 'none', hosts: [] });
  });

  it('opens no network where no host is listed', () => {
    expect(sandboxFor(compileSandbox(tiers).T1, 'process.exec').network).toBe('none');
  });
});

describe('compiled to Vault', () => {
  const policies = compileVault(tiers, { mount: 'secret', prefix: 'agov' });
  const secretsOf = (name: string): Record<string, readonly string[]> => {
    const paths = policies.find((policy) => policy.name === name)?.paths ?? {};
    return Object.fromEntries(Object.entries(paths).filter(([path]) => path.startsWith('secret/data/')));
  };

  it('grants each tier its secrets and those below, production only for an action', () => {
    expect(policies.map(({ name }) => name)).toEqual([
      'agov-t0',
      'agov-t1',
      'agov-t2',
      'agov-t3',
      'agov-t3-action',
      'agov-t4',
      'agov-t4-action',
    ]);
    expect(secretsOf('agov-t0')).toEqual({});
    expect(secretsOf('agov-t1')).toEqual({ 'secret/data/dev/*': ['read'] });
    expect(secretsOf('agov-t2')).toEqual({ 'secret/data/dev/*': ['read'], 'secret/data/staging/*': ['read'] });
    expect(secretsOf('agov-t3')).toEqual(secretsOf('agov-t2'));
    expect(secretsOf('agov-t3-action')).toEqual({ 'secret/data/prod/*': ['create', 'read', 'update'] });
    expect(secretsOf('agov-t4')).toEqual({});
    expect(secretsOf('agov-t4-action')).toEqual({ 'secret/data/governance/*': ['read'] });
  });

  it('shows T0 names and no values, and hides those of governance', () => {
    const { paths = {} } = policies[0] ?? {};
    expect(paths['secret/metadata/prod/*']).toEqual(['list']);
    expect(Object.values(paths).flat()).not.toContain('sudo');
    expect(Object.keys(paths).filter((path) => path.includes('governance'))).toEqual([]);
  });

  it('is never wider than declared', () => {
    const declared = allTiers.flatMap((tier) => Object.values(tiers.declaration.tiers[tier].secrets).flat());
    for (const path of policies.flatMap((policy) => Object.keys(policy.paths))) {
      if (path.includes('*')) expect(declared).toContain(path.replace(/^secret\/(?:data|metadata)\//, ''));
    }
  });

  it('gives an engine’s path to the tiers that have its secret, and to no other', () => {
    const engines = {
      'dev/db': { path: 'database/creds/app' },
      'prod/cert': { path: 'pki/issue/agent', parameters: { common_name: 'a.example' } },
    };
    const has = Object.fromEntries(
      compileVault(tiers, { mount: 'secret', prefix: 'agov', engines }).map(({ name, paths }) => [
        name,
        [paths['database/creds/app'], paths['pki/issue/agent']],
      ]),
    );
    const [db, cert] = [['read'], ['create', 'update']];
    expect(has).toEqual({
      ...{ 'agov-t0': [undefined, undefined], 'agov-t1': [db, undefined], 'agov-t2': [db, undefined] },
      ...{ 'agov-t3': [db, undefined], 'agov-t3-action': [undefined, cert] },
      ...{ 'agov-t4': [undefined, undefined], 'agov-t4-action': [undefined, undefined] },
    });
  });

  it('is HCL under the mount and the prefix that are asked for', () => {
    const [t0] = compileVault(tiers, { mount: 'kv', prefix: 'other' });
    expect(t0?.name).toBe('other-t0');
    expect(t0?.hcl).toContain('path "kv/metadata/dev/*" {\n  capabilities = ["list"]\n}\n');
  });
});

describe('tools and hosts of a project', () => {
  const toolsOf = (overrides: Overrides): string[] =>
    (['T0', 'T1', 'T2', 'T3', 'T4'] as const satisfies Tier[]).map((tier) =>
      toolLists(tiers, overrides)[tier].join(' '),
    );

  it('are any tool and no host by default', () => {
    expect(toolsOf({})).toEqual(['*', '*', '*', '*', '']);
    expect(allTiers.flatMap((tier) => egressHosts(tiers, tier))).toEqual([]);
  });

  it('narrow the tiers below the one that is named, which would else be wider', () => {
    expect(toolsOf({ tools: { T1: ['git'] } })).toEqual(['git', 'git', '*', '*', '']);
    expect(toolsOf({ tools: { T0: ['ls'], T2: ['git'] } })).toEqual(['ls', 'ls git', 'ls git', '*', '']);
    expect(toolsOf({ tools: { T3: [] } })).toEqual(['', '', '', '', '']);
  });

  it('add up from tier to tier', () => {
    const overrides = { hosts: { T1: ['A.com'], T3: ['b.com:22'] } };
    expect(allTiers.map((tier) => egressHosts(tiers, tier, overrides).join(' '))).toEqual([
      '',
      'a.com',
      'a.com',
      'a.com b.com:22',
      '',
    ]);
  });

  it.each<[string, () => unknown, string]>([
    [
      'a narrower tier over one that may all',
      () => toolLists(tiers, { tools: { T0: ['*'], T1: ['git'] } }),
      'tools.T1 cannot be used. T0 lists *',
    ],
    ['tools for T4', () => toolLists(tiers, { tools: { T4: ['git'] } }), 'tools.T4 cannot be used.'],
    [
      'a shell line as a tool',
      () => toolLists(tiers, { tools: { T1: ['git push'] } }),
      'tools.T1[0] cannot be used. "git push"',
    ],
    [
      'hosts for T0',
      () => egressHosts(tiers, 'T0', { hosts: { T0: ['a.com'] } }),
      'hosts.T0 cannot be used. T0 has no network.',
    ],
    ['hosts for T4', () => egressHosts(tiers, 'T0', { hosts: { T4: ['a.com'] } }), 'hosts.T4 cannot be used.'],
    [
      'a URL as a host',
      () => egressHosts(tiers, 'T1', { hosts: { T1: ['https://a.com/'] } }),
      'hosts.T1[0] cannot be used. "https://a.com/"',
    ],
    [
      'a quote that would end the policy',
      () => egressHosts(tiers, 'T1', { hosts: { T1: ['a" || true || "'] } }),
      'hosts.T1[0]',
    ],
  ])('are refused for %s', (_, use, expected) => {
    expect(whyRefused(use)).toContain(expected);
  });
});
