/** Setup and drift with wrong options, a wrong configuration, a wrong token, a Vault that is taken. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { secondLog, type VaultProject, vaultProject } from '../support/vault-project.ts';

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
    const done = await setup('--audit-file', '/nowhere/1.log', '--audit-file', secondLog);
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
