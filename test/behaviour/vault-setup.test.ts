/** Vault made what the tiers say, as an operator meets it, interrupted and under-privileged too. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { must } from '../support/cli.ts';
import { audits, firstLog, inOrder, secondLog, type VaultProject, vaultProject } from '../support/vault-project.ts';

let one: VaultProject;
let configure: VaultProject['configure'];
let drift: VaultProject['drift'];
let driftOf: VaultProject['driftOf'];
let onRecord: VaultProject['onRecord'];
let project: VaultProject['project'];
let sentSince: VaultProject['sentSince'];
let setup: VaultProject['setup'];
let vault: VaultProject['vault'];
beforeEach(async () => {
  one = await vaultProject();
  ({ configure, drift, driftOf, onRecord, project, sentSince, setup, vault } = one);
});
afterEach(() => one[Symbol.asyncDispose]());

const all = 21;

describe('setup', () => {
  it('makes everything, and finds nothing to do the second time', async () => {
    configure();
    const done = await must(setup(...audits));
    expect(done.stdout.split('\n').filter((line) => line.startsWith('made '))).toHaveLength(all);
    expect(done.stdout).toContain(inOrder);
    expect([...vault.devices.values()].map(({ options }) => options['file_path'])).toEqual([firstLog, secondLog]);
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
