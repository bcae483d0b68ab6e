/** Vault made what the tiers say, and held against them, as an operator meets it. */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemEnv } from '../../src/kernel/index.ts';
import type { Entry } from '../../src/schemas/index.ts';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { type FakeVault, fakeVault, laidOut } from '../support/vault/index.ts';

let project: TestProject;
let vault: FakeVault;
beforeEach(async () => {
  project = await testProject();
  vault = await fakeVault({ env: systemEnv() });
  vault.mounts.delete('agov');
  vault.casRequired.clear();
  Object.assign(project.environment, { VAULT_TOKEN: vault.root });
});
afterEach(async () => {
  await vault[Symbol.asyncDispose]();
  project[Symbol.dispose]();
});

function configure(more: readonly string[] = [], top = ''): void {
  const lines = [`address: ${vault.address.origin}`, 'deadline: 3s', ...more].map((line) => `    ${line}\n`);
  appendFileSync(join(project.root, 'agov.yaml'), `${top}secrets:\n  vault:\n${lines.join('')}`);
}

const [first, second] = ['/var/log/vault/1.log', '/srv/vault/2.log'];
const audits = ['--audit-file', first, '--audit-file', second];
const inOrder = 'Everything in Vault is as it should be.\n';
const setup = (...more: string[]) => project.agov('vault', 'setup', ...more);
const drift = (...more: string[]) => project.agov('tiers', 'drift', ...more);
const all = 21;
const governor = 'sys/policies/acl/agov-governor';

async function onRecord(step?: string): Promise<readonly Entry['body'][]> {
  const bodies = (await project.entries()).filter(({ kind }) => kind === 'authority').map(({ body }) => body);
  return step === undefined ? bodies : bodies.filter((body) => body['step'] === step);
}
async function driftOf(...more: string[]): Promise<readonly { path: string; kind: string }[]> {
  return JSON.parse((await drift('--json', ...more)).stdout).differences;
}
/** What is sent besides looks and logins. */
function sentSince(count: number): readonly string[] {
  const later = vault.requests.slice(count).filter(({ method, path }) => method !== 'GET' && !path.includes('self'));
  return later.map(({ method, path }) => `${method} ${path}`);
}

describe('setup', () => {
  it('makes everything, and finds nothing to do the second time', async () => {
    configure();
    const done = await must(setup(...audits));
    expect(done.stdout.split('\n').filter((line) => line.startsWith('made '))).toHaveLength(all);
    expect(done.stdout).toContain(inOrder);
    expect([...vault.devices.values()].map(({ options }) => options['file_path'])).toEqual([first, second]);
    expect(vault.mounts.get('agov')).toMatchObject({ type: 'kv', options: { version: '2' } });
    expect([...vault.casRequired]).toEqual(['agov']);
    expect([...vault.logins].map(([name, { type, config }]) => [name, type, config['max_lease_ttl']])).toEqual([
      ['agov-t0', 'approle', 1800],
      ['agov-t1', 'approle', 1800],
      ['agov-t2', 'approle', 1200],
      ['agov-t3', 'approle', 600],
      ['agov-t4', 'approle', 240],
    ]);
    expect(vault.logins.get('agov-t1')?.config).toMatchObject({ default_lease_ttl: 900, token_type: 'service' });
    expect([...vault.groups.values()].map(({ name, policies }) => [name, ...policies])).toEqual(
      [0, 1, 2, 3, 4].map((n) => [`agov-t${n}`, `agov-t${n}`]),
    );
    expect(vault.policies.get('agov-t1')).toContain('path "agov/data/dev/*"');

    const [count, entries] = [vault.requests.length, (await onRecord()).length];
    expect((await must(setup(...audits))).stdout).toBe(inOrder);
    expect(sentSince(count)).toEqual([]);
    expect((await onRecord()).length).toBe(entries);
  });

  it('logs first, so that the log holds all the rest', async () => {
    configure();
    await must(setup(...audits));
    expect(sentSince(0).slice(0, 3)).toEqual([
      'POST sys/audit/agov-audit-1',
      'POST sys/audit/agov-audit-2',
      'POST sys/mounts/agov',
    ]);
  });

  it('has each change on record before it is made, with who, where, from and to, and no token', async () => {
    configure();
    const before: [string, number][] = [];
    vault.fault = (path) => {
      if (path.startsWith('sys/policies/acl/agov-')) before.push([path, vault.policies.size]);
      return false;
    };
    await must(setup());
    const changing = await onRecord('changing');
    expect(changing).toHaveLength(all - 2);
    expect(changing.find(({ path }) => path === 'sys/auth/agov-t2')).toEqual({
      ...{ step: 'changing', command: 'setup', operator: 'ada', user: expect.any(String), path: 'sys/auth/agov-t2' },
      before: null,
      after: { type: 'approle', default_lease_ttl: 600, max_lease_ttl: 1200, token_type: 'service' },
    });
    expect(await onRecord('changed')).toMatchObject([
      { changed: changing.map(({ path }) => path), failed: [], left: [] },
    ]);
    expect(JSON.stringify(await onRecord())).not.toContain('fake-token');
  });

  it('needs no more than the guide says', async () => {
    configure([], 'ledger: { transit: {} }\n');
    const guide = readFileSync(new URL('../../docs/guide/vault.md', import.meta.url), 'utf8');
    const policy = /The token of setup needs[^`]*```hcl\n([^`]*)```/.exec(guide)?.[1] ?? '';
    const headers = { 'x-vault-token': vault.root };
    await fetch(new URL('/v1/sys/policies/acl/told', vault.address), {
      method: 'PUT',
      headers,
      body: JSON.stringify({ policy }),
    });
    vault.policies.delete('told');
    Object.assign(project.environment, { VAULT_TOKEN: vault.tokens.make({ policy: 'told' }).text });
    await must(setup(...audits));
    vault.policies.set('agov-t2-action', 'path "x" {}');
    vault.logins.set('agov-t0', { type: 'approle', accessor: 'a', config: { default_lease_ttl: 0, max_lease_ttl: 0 } });
    await must(drift('--fix', ...audits));
    expect(await driftOf(...audits)).toEqual([]);
  });

  it('shows what it would do, and does nothing', async () => {
    configure();
    const shown = await must(setup('--dry-run'));
    expect(shown.stdout).toMatch(/sys\/mounts\/agov +missing +version +– +2/);
    expect(sentSince(0)).toEqual([]);
    expect((await project.agov('ledger', 'tail')).stdout).toBe('');
    expect(vault.policies.size).toBe(0);
  });

  it('keeps two projects on one server apart by their prefix', async () => {
    configure(['prefix: other', 'mount: elsewhere']);
    await must(setup());
    const made = [...vault.logins.keys(), ...vault.groups.keys(), ...vault.policies.keys()];
    expect(made.filter((name) => !name.startsWith('other-'))).toEqual([]);
    expect(vault.policies.get('other-t1')).toContain('path "elsewhere/data/dev/*"');
    expect(await driftOf()).toEqual([]);
  });

  it('makes the key of a ledger that signs in Vault before the ledger has its first entry', async () => {
    configure([], 'ledger: { transit: {} }\n');
    await must(setup());
    expect(vault.mounts.get('transit')).toMatchObject({ type: 'transit' });
    expect(await onRecord('changing')).toHaveLength(all);
    expect((await must(project.agov('ledger', 'verify'))).stdout).toContain('verif');
    expect(vault.policies.get('agov-governor')).toContain('path "transit/sign/ledger"');
    expect(await driftOf()).toEqual([]);
  });
});

describe('setup that is interrupted', () => {
  it('names what failed, records what was done, and goes on the next time', async () => {
    configure();
    vault.fault = (path, _response, { method }) => {
      if (method === 'POST' && path === 'sys/auth/agov-t2') vault.sealed = true;
      return false;
    };
    const broken = await setup();
    expect(broken.code).toBe(1);
    expect(broken.stdout).toMatch(/failed sys\/auth\/agov-t2\n {2}Vault at .* is sealed\.\n/);
    expect(broken.stdout).toContain('waits sys/auth/agov-t3\n');
    expect(await onRecord('failed')).toMatchObject([
      { failed: [{ path: 'sys/auth/agov-t2', code: 'SECRETS_UNAVAILABLE' }], untried: { length: 7 } },
    ]);
    Object.assign(vault, { sealed: false, fault: undefined });
    const done = await must(setup());
    expect(done.stdout.split('\n').filter((line) => line.startsWith('made '))).toHaveLength(8);
    expect(await driftOf()).toEqual([]);
  });

  it('killed between record and change, it shows a change that nothing concludes', async () => {
    configure();
    const { promise: reached, resolve } = Promise.withResolvers<void>();
    vault.fault = (path, _response, { method }) => {
      if (method !== 'PUT' || path !== 'sys/policies/acl/agov-t1') return false;
      resolve();
      return true;
    };
    const started = project.start(['vault', 'setup']);
    await reached;
    started.child.kill('SIGKILL');
    await started.done;
    vault.fault = undefined;
    expect((await onRecord()).map(({ step, path }) => [step, path]).at(-1)).toEqual([
      'changing',
      'sys/policies/acl/agov-t1',
    ]);
    expect(vault.policies.has('agov-t1')).toBe(false);
    await must(setup());
    expect(await onRecord('changed')).toHaveLength(1);
    expect(vault.policies.has('agov-t1')).toBe(true);
  });

  it('with a token that may too little, names path and capability, and does the rest', async () => {
    configure();
    vault.tokens.policies.set('most', {
      '*': ['create', 'read', 'update', 'delete', 'list', 'sudo'],
      'sys/policies/acl/agov-t2': ['read'],
      'sys/auth/agov-t3': ['create', 'read', 'update'],
    });
    Object.assign(project.environment, { VAULT_TOKEN: vault.tokens.make({ policy: 'most' }).text });
    const done = await setup();
    expect(done.code).toBe(1);
    const line = 'Add to its policy: path "sys/policies/acl/agov-t2" { capabilities = ["update"] }';
    expect(done.stdout).toContain(line);
    expect(done.stdout).toContain('The token may not create or update sys/auth/agov-t3 in Vault without sudo.');
    expect(JSON.parse((await setup('--json')).stdout)).toMatchObject({ changed: [], failed: { length: 2 } });
    Object.assign(project.environment, { VAULT_TOKEN: vault.root });
    expect((await must(setup())).stdout).toContain('made sys/policies/acl/agov-t2\nmade sys/auth/agov-t3\n');
  });
});

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
    vault.devices.set('by-hand', { type: 'file', options: { file_path: second } });
    expect(await driftOf()).toEqual([]);
    expect((await driftOf(...audits)).map(({ path }) => path)).toEqual(['sys/audit/agov-audit-1']);
    await must(drift('--fix', ...audits));
    expect([...vault.devices.keys()]).toEqual(['by-hand', 'agov-audit-1']);
    const moved = await drift('--fix', '--audit-file', '/a', '--audit-file', second);
    expect([moved.code, moved.stdout]).toEqual([1, expect.stringContaining('left sys/audit/agov-audit-1')]);
    expect(vault.devices.get('agov-audit-1')?.options['file_path']).toBe(first);
  });
});

describe('bad input is named', () => {
  it('no Vault', async () => {
    for (const command of [setup(), drift()]) {
      const done = await command;
      expect([done.code, done.stderr]).toEqual([78, expect.stringContaining('under secrets.vault.address')]);
    }
  });

  it.each([
    ['one audit file', ['--audit-file', '/a'], 'Give --audit-file twice'],
    ['one audit file, twice', ['--audit-file', '/a', '--audit-file', '/a'], 'Give --audit-file twice'],
    ['a relative path', ['--audit-file', 'a', '--audit-file', '/b'], '"a" is no absolute path'],
  ])('%s', async (_what, options, message) => {
    configure();
    const done = await setup(...options);
    expect([done.code, done.stderr]).toEqual([64, expect.stringContaining(message)]);
    expect(vault.requests).toEqual([]);
  });

  it('an audit file that Vault cannot write: the rest is done', async () => {
    configure();
    const done = await setup('--audit-file', '/nowhere/1.log', '--audit-file', second);
    expect([done.code, done.stdout]).toEqual([1, expect.stringContaining('sanity check failed')]);
    expect((await driftOf()).length).toBe(0);
  });

  it.each([
    ['KV version 1', 'old', 'vault kv enable-versioning old/'],
    ['another engine', 'pki', 'At pki is an engine of type pki already'],
  ])('%s at the mount: it is left as it is', async (_what, mount, message) => {
    configure([`mount: ${mount}`]);
    const before = vault.mounts.get(mount);
    const done = await setup();
    expect([done.code, done.stdout]).toEqual([1, expect.stringContaining(message)]);
    expect(vault.mounts.get(mount)).toEqual(before);
    expect((await onRecord('changing')).map(({ path }) => path)).not.toContain(`sys/mounts/${mount}`);
  });

  it('another login where a tier’s belongs', async () => {
    configure();
    vault.logins.set('agov-t1', {
      type: 'userpass',
      accessor: 'a',
      config: { default_lease_ttl: 0, max_lease_ttl: 0 },
    });
    const done = await setup();
    expect([done.code, done.stdout]).toEqual([1, expect.stringContaining('another secrets.vault.prefix')]);
    expect(vault.logins.get('agov-t1')?.type).toBe('userpass');
  });

  it('a sealed Vault, and a token that is none: nothing is recorded or done', async () => {
    configure();
    vault.sealed = true;
    const sealed = await setup();
    expect([sealed.code, sealed.stderr]).toEqual([69, expect.stringContaining('is sealed')]);
    vault.sealed = false;
    Object.assign(project.environment, { VAULT_TOKEN: 'hvs.never-was' });
    const wrong = await drift('--fix');
    expect([wrong.code, wrong.stderr]).toEqual([69, expect.stringContaining('does not accept the token')]);
    expect(`${wrong.stdout}${wrong.stderr}`).not.toContain('never-was');
    expect((await project.agov('ledger', 'tail')).stdout).toBe('');
    expect(sentSince(0)).toEqual([]);
  });

  it('a token that may not look', async () => {
    configure();
    vault.tokens.policies.set('little', { 'sys/mounts': ['read'] });
    Object.assign(project.environment, { VAULT_TOKEN: vault.tokens.make({ policy: 'little' }).text });
    const done = await drift();
    expect([done.code, done.stderr]).toEqual([
      69,
      expect.stringContaining('path "sys/auth" { capabilities = ["read"] }'),
    ]);
  });

  it.each(['my-prefix', 'UPPER', ''])('the prefix "%s"', async (prefix) => {
    configure([`prefix: "${prefix}"`]);
    const done = await setup();
    expect([done.code, done.stderr]).toEqual([78, expect.stringContaining('agov.yaml:')]);
  });

  it('an operator’s act from inside a run', async () => {
    configure();
    const inside = project.start(['vault', 'setup'], { env: { AGOV_RUN: 'r' } });
    const done = await inside.done;
    expect([done.code, done.stderr]).toEqual([77, expect.stringContaining('from inside a governed run')]);
    expect(vault.requests).toEqual([]);
  });
});
