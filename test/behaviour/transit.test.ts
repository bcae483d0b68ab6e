/** A project whose ledger's key is in Vault, as its operator meets it. */
import { appendFileSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemEnv } from '../../src/kernel/index.ts';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { itWith } from '../support/needs.ts';
import { type FakeVault, laidOut } from '../support/vault/index.ts';
import { fakeVaultWithTransit, swapKey } from '../support/vault/transit.ts';

let project: TestProject;
let vault: FakeVault;
beforeEach(async () => {
  project = await testProject();
  vault = await fakeVaultWithTransit();
  await laidOut(vault, systemEnv());
});
afterEach(async () => {
  await vault[Symbol.asyncDispose]();
  project[Symbol.dispose]();
});

function configure(transit = 'ledger: { transit: {} }\n'): void {
  Object.assign(project.environment, { VAULT_TOKEN: vault.root });
  const address = `secrets:\n  vault: { address: '${vault.address.origin}', deadline: 2s }\n`;
  appendFileSync(join(project.root, 'agov.yaml'), `${address}${transit}`);
}

function keysFolder(): string {
  const instance = readFileSync(join(project.root, '.agov', 'instance'), 'utf8').trim();
  return join(project.environment['XDG_CONFIG_HOME'] ?? '', 'agov', instance);
}

const run = (...command: string[]) => project.agov('run', '--agent', 'builder', '--', ...command);

itWith('bwrap', 'records, shows and verifies; no private key lies anywhere, and reading needs no Vault', async () => {
  configure();
  await must(project.agov('agent', 'add', 'builder', '--tier', 'T1'));
  expect((await must(run('echo', 'hi'))).stdout).toBe('hi\n');
  expect(readdirSync(keysFolder()).sort()).toEqual(['head', 'ledger.pinned.json']);
  vault.fault = () => true;
  const key = await must(project.agov('ledger', 'key'));
  expect(key.stdout).toMatch(/^agov\.local\/[0-9a-f-]{36}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}\n$/);
  expect(key.stderr).toContain('transit/ledger in Vault');
  expect((await must(project.agov('ledger', 'verify'))).stdout).toMatch(/^verified: \d+ entries/);
  await must(project.agov('ledger', 'prove', '1'));
});

itWith(
  'bwrap',
  'allows nothing while Vault is away in the middle of a run, says why, and goes on by itself',
  async () => {
    configure();
    await must(project.agov('agent', 'add', 'builder', '--tier', 'T1'));
    const command = 'echo started; until [ -e go ]; do sleep 0.05; done';
    const running = project.start(['run', '--agent', 'builder', '--', 'sh', '-c', command]);
    await running.printed('started');
    vault.sealed = true;
    const denied = await run('echo', 'ran');
    expect([denied.code, denied.stdout]).toEqual([69, '']);
    expect(denied.stderr).toContain('is sealed');
    writeFileSync(join(project.root, 'go'), '');
    const ended = await running.done;
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toContain('is sealed');
    vault.sealed = false;
    expect((await must(run('echo', 'ran'))).stdout).toBe('ran\n');
    // What came of the first is not known to the record, and it says so.
    const outcomes = (await project.entries())
      .filter(({ kind }) => kind === 'outcome')
      .map(({ body }) => body['status']);
    expect(outcomes).toEqual(['unknown', 'ok']);
    expect((await must(project.agov('ledger', 'verify'))).stdout).toContain('verified');
  },
);

it('continues with no other key that Vault has under the name', async () => {
  configure();
  await must(project.agov('agent', 'add', 'builder', '--tier', 'T1'));
  await swapKey(vault);
  const done = await project.agov('agent', 'add', 'other', '--tier', 'T1');
  expect([done.code, done.stderr]).toEqual([78, expect.stringContaining('does not hold under the key')]);
  expect((await must(project.agov('agent', 'list'))).stdout).not.toContain('other');
  const doctor = await project.agov('doctor');
  expect([doctor.code, doctor.stdout]).toEqual([1, expect.stringContaining('does not hold under the key')]);
});

describe('bad input is named', () => {
  it.each([
    ['a key that is not there', 'ledger: { transit: { key: none } }\n', 'vault write transit/keys/none type=ed25519'],
    ['a mount that is not there', 'ledger: { transit: { mount: elsewhere } }\n', 'secrets enable -path=elsewhere'],
    ['a name that is none', 'ledger: { transit: { key: ../x } }\n', 'agov.yaml:'],
    ['a setting that is none', 'ledger: { key: file }\n', 'agov.yaml:'],
  ])('%s', async (_what, transit, message) => {
    configure(transit);
    const done = await project.agov('agent', 'add', 'builder', '--tier', 'T1');
    expect([done.code, done.stderr]).toEqual([78, expect.stringContaining(message)]);
  });

  it('transit without a Vault', async () => {
    appendFileSync(join(project.root, 'agov.yaml'), 'ledger: { transit: {} }\n');
    const line = readFileSync(join(project.root, 'agov.yaml'), 'utf8').trimEnd().split('\n').length;
    // Also what never opens the ledger.
    for (const command of [
      ['agent', 'add', 'builder'],
      ['tiers', 'compile'],
      ['secret', 'list'],
    ]) {
      const done = await project.agov(...command);
      const said = expect.stringMatching(new RegExp(`agov\\.yaml:${line}:11 .*set secrets\\.vault\\.address`));
      expect([done.code, done.stderr]).toEqual([78, said]);
    }
  });

  it('another kind of key than the ledger was made with, and a pinned key that is gone', async () => {
    const yaml = join(project.root, 'agov.yaml');
    const plain = readFileSync(yaml, 'utf8');
    await must(project.agov('agent', 'add', 'builder', '--tier', 'T1'));
    configure();
    for (const command of [
      ['agent', 'add', 'other', '--tier', 'T1'],
      ['ledger', 'verify'],
      ['ledger', 'key'],
    ]) {
      const done = await project.agov(...command);
      expect([done.code, done.stderr]).toEqual([78, expect.stringContaining('Take ledger.transit out')]);
    }
    renameSync(join(project.root, '.agov'), join(project.root, '.agov-old'));
    await must(project.agov('agent', 'add', 'builder', '--tier', 'T1'));
    writeFileSync(yaml, plain);
    const back = await project.agov('ledger', 'head');
    expect([back.code, back.stderr]).toEqual([78, expect.stringContaining('Set ledger.transit')]);
    configure();
    renameSync(join(keysFolder(), 'ledger.pinned.json'), join(keysFolder(), 'lost'));
    const lost = await project.agov('agent', 'add', 'other', '--tier', 'T1');
    expect([lost.code, lost.stderr]).toEqual([78, expect.stringContaining('ledger.pinned.json')]);
  });
});
