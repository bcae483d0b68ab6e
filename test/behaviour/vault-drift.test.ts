/** What stands in Vault held against the tiers, as an operator meets it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemEnv } from '../../src/kernel/index.ts';
import { must } from '../support/cli.ts';
import { laidOut } from '../support/vault/index.ts';
import { audits, firstLog, inOrder, secondLog, type VaultProject, vaultProject } from '../support/vault-project.ts';

let one: VaultProject;
let configure: VaultProject['configure'];
let drift: VaultProject['drift'];
let driftOf: VaultProject['driftOf'];
let onRecord: VaultProject['onRecord'];
let project: VaultProject['project'];
let vault: VaultProject['vault'];
beforeEach(async () => {
  one = await vaultProject();
  ({ configure, drift, driftOf, onRecord, project, vault } = one);
});
afterEach(() => one[Symbol.asyncDispose]());

const governor = 'sys/policies/acl/agov-governor';

describe('drift', () => {
  beforeEach(async () => {
    configure();
    await laidOut(vault, systemEnv());
  });

  it('is none in other words of the same policy, nor in the members of a group', async () => {
    const text = vault.policies.get('agov-t2') ?? '';
    vault.policies.set('agov-t2', `# by hand\n${text.replaceAll('\n', ' ').replaceAll('path', '\n path')}`);
    const group = vault.groups.get('agov-t1');
    if (group) vault.groups.set('agov-t1', { ...group, member_entity_ids: ['36fd173f-882e-13f9-f307-e6cf673803ad'] });
    const done = await must(drift());
    expect(done.stdout).toBe(inOrder);
  });

  it('is told path by path, mended with a record of both, and then gone', async () => {
    vault.policies.set('agov-t1', `${vault.policies.get('agov-t1')}\npath "agov/data/prod/*" { policy = "write" }`);
    vault.logins.set('agov-t2', { type: 'approle', accessor: 'a', config: { default_lease_ttl: 0, max_lease_ttl: 0 } });
    const group = vault.groups.get('agov-t0');
    if (group) vault.groups.set('agov-t0', { ...group, policies: ['agov-t0', 'agov-t3'], member_entity_ids: ['e'] });
    vault.groups.delete('agov-t4');
    vault.casRequired.clear();
    const told = await drift();
    expect(told.code).toBe(1);
    const t1 = /sys\/policies\/acl\/agov-t1 +differs +agov\/data\/prod\/\* +create, delete, list, read, update +–/;
    expect(told.stdout).toMatch(t1);
    expect(told.stdout).toMatch(/sys\/auth\/agov-t2 +differs +max_lease_ttl +0 +1200/);
    expect(told.stdout).toMatch(/identity\/group\/name\/agov-t0 +differs +policies +agov-t0, agov-t3 +agov-t0/);
    expect(told.stdout).toMatch(/identity\/group\/name\/agov-t4 +missing +type +– +internal/);
    expect(told.stdout).toMatch(/sys\/mounts\/agov +differs +cas_required +false +true/);
    expect(told.stdout.trim().split('\n')).toHaveLength(1 + 1 + 3 + 1 + 3 + 1);

    const fixed = await must(drift('--fix'));
    expect(fixed.stdout).toContain('changed sys/policies/acl/agov-t1\n');
    expect(vault.policies.get('agov-t1')).not.toContain('agov/data/prod');
    expect(vault.groups.get('agov-t0')).toMatchObject({ policies: ['agov-t0'], member_entity_ids: ['e'] });
    expect((await must(drift())).stdout).toBe(inOrder);
    const [change] = (await onRecord('changing')).slice(1);
    expect(change).toMatchObject({
      path: 'sys/policies/acl/agov-t1',
      before: { 'agov/data/prod/*': ['create', 'delete', 'list', 'read', 'update'] },
    });
  });

  it.each([
    ['a policy that cannot be read', () => vault.policies.set('agov-t1', 'path "x" {'), 'sys/policies/acl/agov-t1'],
    ['a policy of its own made narrower', () => vault.policies.set('agov-governor', 'path "x" {}'), governor],
    ['a policy that is gone', () => vault.policies.delete('agov-t3-action'), 'sys/policies/acl/agov-t3-action'],
    ['a login that is gone', () => vault.logins.delete('agov-t0'), 'sys/auth/agov-t0'],
    ['batch tokens', () => tune('agov-t1', { token_type: 'batch' }), 'sys/auth/agov-t1'],
    ['a token of a month', () => tune('agov-t1', { max_lease_ttl: 2_764_800 }), 'sys/auth/agov-t1'],
    ['a group in a group', () => regroup('agov-t3', { member_group_ids: ['x'] }), 'identity/group/name/agov-t3'],
    [
      'a compiled policy of an earlier declaration',
      () => vault.policies.set('agov-t2-action', ''),
      'sys/policies/acl/agov-t2-action',
    ],
  ] as const)('is %s, and is mended', async (_what, spoil, path) => {
    spoil();
    expect((await driftOf()).map((one) => one.path)).toEqual([path]);
    await must(drift('--fix'));
    expect(await driftOf()).toEqual([]);
  });

  const tune = (name: string, config: object): void => {
    const login = vault.logins.get(name);
    if (login) vault.logins.set(name, { ...login, config: { ...login.config, ...config } });
  };
  const regroup = (name: string, members: object): void => {
    const group = vault.groups.get(name);
    if (group) vault.groups.set(name, { ...group, ...members });
  };

  it('leaves alone what somebody else made, and says so', async () => {
    vault.policies.set('agov-t9', 'path "*" { policy = "sudo" }').set('agov-t1-more', '').set('agov-ci', '');
    vault.logins.set('agov-t7', {
      type: 'userpass',
      accessor: 'a',
      config: { default_lease_ttl: 0, max_lease_ttl: 0 },
    });
    regroup('agov-t1', {});
    const inner = vault.groups.get('agov-t1')?.id ?? '';
    const outer = { id: 'outer-id', name: 'admins', type: 'internal', policies: ['admin'], member_entity_ids: [] };
    vault.groups.set('admins', { ...outer, member_group_ids: [inner] });
    const before = [[...vault.policies], [...vault.logins.keys()], vault.groups.get('admins')];
    const told = await drift('--fix');
    expect(told.code).toBe(1);
    expect(told.stdout).toMatch(
      /left sys\/policies\/acl\/agov-t9\n {2}.*did not make it.*\n {2}.*vault policy delete agov-t9/,
    );
    expect(told.stdout).toContain('left sys/auth/agov-t7\n');
    expect(told.stdout).toMatch(/left identity\/group\/id\/outer-id\n {2}The group agov-t1 is in it/);
    expect(told.stdout).not.toContain('agov-ci');
    expect([[...vault.policies], [...vault.logins.keys()], vault.groups.get('admins')]).toEqual(before);
    expect((await driftOf()).map(({ path, kind }) => [path, kind])).toEqual([
      ['sys/policies/acl/agov-t1-more', 'extra'],
      ['sys/policies/acl/agov-t9', 'extra'],
      ['sys/auth/agov-t7', 'extra'],
      ['identity/group/id/outer-id', 'extra'],
    ]);
  });

  it('is seen by the governor’s own token, which can mend none of it', async () => {
    vault.policies.set('agov-t1', 'path "*" { policy = "sudo" }');
    Object.assign(project.environment, { VAULT_TOKEN: vault.tokens.make({ policy: 'agov-governor' }).text });
    expect(await driftOf()).toMatchObject([{ path: 'sys/policies/acl/agov-t1', kind: 'differs' }]);
    const fixed = await drift('--fix');
    expect([fixed.code, fixed.stdout]).toEqual([1, expect.stringContaining('may not update sys/policies/acl/agov-t1')]);
    expect(vault.policies.get('agov-t1')).toContain('sudo');
  });

  it('holds audit devices against those that are asked for, by their files', async () => {
    vault.devices.set('by-hand', { type: 'file', options: { file_path: secondLog } });
    expect(await driftOf()).toEqual([]);
    expect((await driftOf(...audits)).map(({ path }) => path)).toEqual(['sys/audit/agov-audit-1']);
    await must(drift('--fix', ...audits));
    expect([...vault.devices.keys()]).toEqual(['by-hand', 'agov-audit-1']);
    const moved = await drift('--fix', '--audit-file', '/a', '--audit-file', secondLog);
    expect([moved.code, moved.stdout]).toEqual([1, expect.stringContaining('left sys/audit/agov-audit-1')]);
    expect(vault.devices.get('agov-audit-1')?.options['file_path']).toBe(firstLog);
  });
});
