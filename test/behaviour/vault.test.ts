/** A project whose secrets are in Vault, as its operator meets it. */
import { appendFileSync, chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemEnv } from '../../src/kernel/index.ts';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { itWith } from '../support/needs.ts';
import { type FakeVault, fakeVault, laidOut, roleId } from '../support/vault/index.ts';

let project: TestProject;
let vault: FakeVault;
let files: string;
beforeEach(async () => {
  project = await testProject({ builder: 'T1' });
  vault = await fakeVault({ env: systemEnv() });
  await laidOut(vault, systemEnv());
  files = mkdtempSync(join(tmpdir(), 'agov-vault-'));
});
afterEach(async () => {
  await vault[Symbol.asyncDispose]();
  project[Symbol.dispose]();
  rmSync(files, { recursive: true });
});

function configure(more = '', address = vault.address.origin): void {
  const text = `secrets:\n  vault:\n    address: ${address}\n    deadline: 3s\n${more.replace(/^(?=.)/gm, '    ')}`;
  appendFileSync(join(project.root, 'agov.yaml'), text);
}

const printed = ['node', '-e', 'console.log(process.env.DB)'];
const run = (...command: string[]) =>
  project.agov('run', '--agent', 'builder', '--secret', 'DB=dev/db', '--', ...command);

itWith('bwrap', 'stores, lists, leases for one command, and removes, with nothing in the local file', async () => {
  configure();
  Object.assign(project.environment, { VAULT_TOKEN: vault.root });
  await must(project.agovWith('hunter2-hunter2', 'secret', 'set', 'dev/db'));
  expect((await must(project.agov('secret', 'list'))).stdout).toContain('dev/db');
  const done = await must(run(...printed));
  expect(done.stdout).toBe('[redacted]\n');
  expect((await must(project.agov('leases'))).stdout).toBe('No lease lives.\n');
  expect(vault.tokens.live.size).toBe(1);
  await must(project.agov('secret', 'remove', 'dev/db'));
  expect((await must(project.agov('secret', 'list', '--json'))).stdout).toBe('[]\n');
  expect(JSON.stringify(await project.entries())).not.toMatch(/hunter2|fake-accessor|fake-token/);
});

itWith('bwrap', 'says that a credential lives on, records it, and ends it later', async () => {
  configure('engines:\n  dev/db: { path: database/creds/app }\n');
  await laidOut(vault, systemEnv(), { engines: { 'dev/db': { path: 'database/creds/app' } } });
  Object.assign(project.environment, { VAULT_TOKEN: vault.root });
  vault.databaseDown = true;
  const done = await run(...printed);
  expect(done.stderr).toContain('could not be ended');
  expect(`${done.stdout}${JSON.stringify(await project.entries())}`).not.toMatch(/made-fake|v-token/);
  const listed = await must(project.agov('leases'));
  expect(listed.stdout).toMatch(/dev\/db .*not ended: .*connection refused/);
  expect(JSON.parse((await must(project.agov('leases', '--json'))).stdout)).toMatchObject([{ path: 'dev/db' }]);
  const ends = (await project.entries()).filter(({ body }) => JSON.stringify(body).includes('"lease":"not ended"'));
  expect(ends).toHaveLength(1);
  vault.databaseDown = false;
  expect((await must(project.agov('leases'))).stdout).toBe('No lease lives.\n');
  expect(vault.leases.size).toBe(0);
});

itWith('bwrap', 'starts no command while Vault is sealed, and the next one after that', async () => {
  configure();
  Object.assign(project.environment, { VAULT_TOKEN: vault.root });
  await must(project.agovWith('hunter2-hunter2', 'secret', 'set', 'dev/db'));
  vault.sealed = true;
  const done = await run('node', '-e', 'console.log("ran")');
  expect([done.code, done.stdout]).toEqual([69, '']);
  expect(done.stderr).toContain('is sealed');
  vault.sealed = false;
  expect((await must(run('node', '-e', 'console.log("ran")'))).stdout).toBe('ran\n');
});

it('logs in by AppRole with files, and leaves no token', async () => {
  const [role, secret] = [join(files, 'role'), join(files, 'secret')];
  writeFileSync(role, `${roleId}\n`, { mode: 0o600 });
  writeFileSync(secret, 'fake-secret-id\n', { mode: 0o600 });
  configure(`auth: { appRole: governors, roleIdFile: ${role} }\n`);
  Object.assign(project.environment, { AGOV_VAULT_SECRET_ID_FILE: secret });
  await must(project.agov('secret', 'list'));
  expect(vault.tokens.live.size).toBe(1);
  chmodSync(secret, 0o640);
  const open = await project.agov('secret', 'list');
  expect([open.code, open.stderr]).toEqual([78, expect.stringContaining(`chmod 600 '${secret}'`)]);
});

describe('bad input is named', () => {
  it.each([
    ['plain http to elsewhere', '', 'http://vault.example:8200', 'use https'],
    ['a path in the address', '', 'https://vault.example:8200/v1', 'scheme, host and port'],
    ['a token in the file', 'token: hvs.x\n', undefined, 'agov.yaml:'],
    ['a mount with dots', 'mount: ../sys\n', undefined, 'agov.yaml:'],
  ])('%s', async (_what, more, address, message) => {
    configure(more, address);
    const done = await project.agov('secret', 'list');
    expect([done.code, done.stderr]).toEqual([78, expect.stringContaining(message)]);
  });

  it('no token, and one that is none', async () => {
    configure();
    const none = await project.agov('secret', 'list');
    expect([none.code, none.stderr]).toEqual([78, expect.stringContaining('Set VAULT_TOKEN')]);
    Object.assign(project.environment, { VAULT_TOKEN: 'two words' });
    const wrong = await project.agov('secret', 'list');
    expect(wrong.stderr).toContain('does not hold a credential');
    expect(wrong.stderr).not.toContain('two words');
  });

  it('a token file in the project, where agents read', async () => {
    const token = join(project.root, 'token');
    writeFileSync(token, vault.root, { mode: 0o600 });
    configure(`auth: { tokenFile: ${token} }\n`);
    const done = await project.agov('secret', 'list');
    expect([done.code, done.stderr]).toEqual([78, expect.stringContaining('lies in the project')]);
  });

  it('an authority that is none', async () => {
    const file = join(files, 'ca.pem');
    writeFileSync(file, 'no certificate');
    configure(`caFile: ${file}\n`);
    Object.assign(project.environment, { VAULT_TOKEN: vault.root });
    const done = await project.agov('secret', 'list');
    expect([done.code, done.stderr]).toEqual([78, expect.stringContaining('caFile')]);
  });
});
