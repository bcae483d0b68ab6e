/** A ledger whose key is in Vault, and whose pin was lost: pinned anew from the line that somebody kept, or not at all. */
import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatVerifierKey, verifierKey } from '../../src/governance/ledger/verifier/index.ts';
import { systemEnv } from '../../src/kernel/index.ts';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { type FakeVault, laidOut } from '../support/vault/index.ts';
import { fakeVaultWithTransit, operate, swapKey } from '../support/vault/transit.ts';

let project: TestProject;
let vault: FakeVault;
let pin: string;
let line: string;
beforeEach(async () => {
  project = await testProject();
  vault = await fakeVaultWithTransit();
  await laidOut(vault, systemEnv());
  project.environment['VAULT_TOKEN'] = vault.root;
  const text = `secrets: { vault: { address: "${vault.address.origin}", deadline: 2s } }\nledger: { transit: {} }\n`;
  appendFileSync(join(project.root, 'agov.yaml'), text);
  await add('builder');
  const instance = readFileSync(join(project.root, '.agov', 'instance'), 'utf8').trim();
  pin = join(project.environment['XDG_CONFIG_HOME'] ?? '', 'agov', instance, 'ledger.pinned.json');
  line = (await must(project.agov('ledger', 'key'))).stdout.trim();
});
afterEach(async () => {
  await vault[Symbol.asyncDispose]();
  project[Symbol.dispose]();
});

const add = (name: string) => must(project.agov('agent', 'add', name, '--tier', 'T1'));
const repin = (of = line) => project.agov('ledger', 'key', '--pin', of);

it('is pinned to the version that the ledger was made with, on record, and the ledger goes on', async () => {
  const before = readFileSync(pin, 'utf8');
  await operate(vault, 'POST', 'transit/keys/ledger/rotate');
  rmSync(pin);
  for (const command of [
    ['ledger', 'verify'],
    ['agent', 'add', 'other'],
  ]) {
    const lost = await project.agov(...command);
    expect([lost.code, lost.stderr]).toEqual([78, expect.stringContaining('agov ledger key --pin')]);
  }
  expect((await must(repin())).stdout.trim()).toBe(line);
  expect(readFileSync(pin, 'utf8')).toBe(before);
  await add('other');
  expect((await must(project.agov('ledger', 'verify'))).stdout).toContain('verified');
  expect((await project.entries()).find(({ body }) => body['step'] === 'pinned')).toMatchObject({
    ...{ kind: 'authority', body: { operator: 'ada', key: line } },
  });
});

it('never replaces a pin that is there, whole or damaged', async () => {
  for (const text of [readFileSync(pin, 'utf8'), '{}']) {
    writeFileSync(pin, text, { mode: 0o600 });
    const done = await repin();
    expect([done.code, done.stderr]).toEqual([73, expect.stringContaining('pinned already')]);
    expect(readFileSync(pin, 'utf8')).toBe(text);
  }
});

describe('nothing is pinned', () => {
  beforeEach(() => rmSync(pin));
  afterEach(() => expect(existsSync(pin)).toBe(false));

  it('of a key that has not signed the newest head, by whatever name', async () => {
    const [name = ''] = line.split('+');
    const raw = generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
    const other = await repin(formatVerifierKey(verifierKey(name, raw)));
    expect([other.code, other.stderr]).toEqual([78, expect.stringContaining('was not signed with the key')]);
  });

  it.each(['', 'x', 'PRIVATE+KEY+a+b+c'])('of what is no line: "%s"', async (text) => {
    const done = await repin(text);
    expect([done.code, done.stderr]).toEqual([65, expect.stringContaining('agov ledger key')]);
  });

  it('where Vault has another key by now, or none, or does not answer', async () => {
    await swapKey(vault);
    const swapped = await repin();
    expect([swapped.code, swapped.stderr]).toEqual([78, expect.stringContaining('No version of')]);
    await operate(vault, 'DELETE', 'transit/keys/ledger');
    expect((await repin()).code).toBe(78);
    vault.sealed = true;
    const sealed = await repin();
    expect([sealed.code, sealed.stderr]).toEqual([69, expect.stringContaining('is sealed')]);
  });

  it('over a record that ends before the head that was last seen', async () => {
    const [data, copy] = [join(project.root, '.agov'), join(project.root, 'copy')];
    cpSync(data, copy, { recursive: true });
    await must(repin());
    await add('other');
    rmSync(pin);
    rmSync(data, { recursive: true });
    cpSync(copy, data, { recursive: true });
    const cut = await repin();
    expect([cut.code, cut.stderr]).toEqual([1, expect.stringContaining('a head saved outside the project covers')]);
  });
});

it('is no matter of a ledger whose key is a file', async () => {
  using other = await testProject();
  await must(other.agov('agent', 'add', 'builder'));
  const done = await other.agov('ledger', 'key', '--pin', line);
  expect([done.code, done.stderr]).toEqual([64, expect.stringContaining('No key is pinned')]);
});
