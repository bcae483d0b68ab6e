/** How an identity in Vault ends with its agent, and what is left of one that a thief got hold of. */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openHousekeeper } from '../../src/app/housekeeping.ts';
import { openApp } from '../../src/app/index.ts';
import { must, type TestProject } from '../support/cli.ts';
import { type IdentifiedProject, identifiedProject } from '../support/identified-project.ts';
import { describeWith } from '../support/needs.ts';
import type { FakeVault } from '../support/vault/index.ts';

let one: IdentifiedProject;
let project: TestProject;
let vault: FakeVault;
let files: string;
beforeEach(async () => {
  one = await identifiedProject();
  ({ project, vault, files } = one);
});
afterEach(() => one[Symbol.asyncDispose]());

const retire = (...more: string[]) => project.agov('agent', 'retire', 'builder', ...more);
const stepsOf = async () => (await one.authority()).map(({ body }) => body['step']);

it('ends the identity of whoever is retired, on record, and with Vault away says so and is finished later', async () => {
  await must(project.agov('agent', 'add', 'builder', '--tier', 'T1'));
  vault.sealed = true;
  const cut = await retire();
  expect([cut.code, cut.stderr]).toEqual([69, expect.stringMatching(/is retired, and its identity.*sealed.*enroll/s)]);
  expect(JSON.parse((await must(project.agov('agent', 'list', '--json'))).stdout)).toMatchObject([
    { status: 'retired' },
  ]);
  vault.sealed = false;
  expect([one.standingOf('builder'), await stepsOf()]).toEqual(['active', ['enrolled']]);
  expect((await must(project.agov('agent', 'enroll', 'builder'))).stdout).toContain('has ended');
  expect([
    one.standingOf('builder'),
    vault.identity.roles.size,
    vault.identity.entities.get('agov-builder')?.disabled,
  ]).toEqual(['retired', 0, true]);
  expect(await stepsOf()).toEqual(['enrolled', 'retired']);
  expect((await retire()).code).toBe(73);
});

it('finishes a retirement by the same command again, and by agov serve', async () => {
  for (const agent of ['builder', 'other']) await must(project.agov('agent', 'add', agent, '--tier', 'T1'));
  vault.sealed = true;
  for (const agent of ['builder', 'other']) expect((await project.agov('agent', 'retire', agent)).code).toBe(69);
  vault.sealed = false;
  expect((await must(retire())).stdout).toContain('has ended');
  expect([one.standingOf('builder'), one.standingOf('other')]).toEqual(['retired', 'active']);
  await using app = openApp({ from: project.root, environment: project.environment });
  await using housekeeper = openHousekeeper(app, () => undefined);
  await housekeeper.first;
  expect(one.standingOf('other')).toBe('retired');
});

describeWith('bwrap', 'a command with secrets', () => {
  beforeEach(() => must(project.agov('agent', 'add', 'builder', '--tier', 'T1')));

  it('goes on to its end when its agent is retired, and ends the identity with it', async () => {
    const script = 'echo ready; until [ -e go ]; do sleep 0.05; done; echo "$DB" | wc -c';
    const started = project.start(['run', '--agent', 'builder', '--secret', 'DB=dev/db', '--', 'sh', '-c', script]);
    await started.printed('ready');
    expect((await must(retire())).stdout).toContain('ends with the token');
    expect([one.standingOf('builder'), vault.identity.roles.size, one.agentTokens().length > 0]).toEqual([
      'active',
      0,
      true,
    ]);
    appendFileSync(join(project.root, 'go'), '');
    expect(await started.done).toMatchObject({ code: 0, stdout: expect.stringContaining('16') });
    expect([one.standingOf('builder'), one.agentTokens()]).toEqual(['retired', []]);
    expect(await stepsOf()).toEqual(['enrolled', 'login', 'retiring', 'retired']);
  });
});

describeWith('bwrap', 'tampering that shows while Vault goes away', () => {
  beforeEach(() => must(project.agov('agent', 'add', 'builder', '--tier', 'T1')));

  const dev = () => new URL('/v1/agov/data/dev/db', vault.address);
  const asks = async (token: string): Promise<number> =>
    (await fetch(dev(), { headers: { 'X-Vault-Token': token } })).status;
  /** Somebody opened the invitation and logged in by it; Vault is sealed before anything can be done about it. */
  async function tampering(): Promise<string> {
    const file = join(files, 'invitation');
    await must(one.invite(file));
    const { token } = JSON.parse(readFileSync(file, 'utf8'));
    const post = async (path: string, body: object) => {
      const headers = { 'X-Vault-Token': token };
      const sent = { method: 'POST', headers, body: JSON.stringify(body) };
      return JSON.parse(await (await fetch(new URL(`/v1/${path}`, vault.address), sent)).text());
    };
    const { data } = await post('sys/wrapping/unwrap', {});
    const role_id = vault.identity.roles.get('agov-t1/role/builder')?.role_id;
    const { auth } = await post('auth/agov-t1/login', { role_id, ...data });
    vault.fault = (path) => {
      if (path === 'sys/wrapping/lookup') setImmediate(() => Object.assign(vault, { sealed: true }));
      return false;
    };
    const done = await one.run('dev/db', '--invitation', file);
    expect([done.code, done.stderr]).toEqual([77, expect.stringMatching(/not all could be done.*agov kill builder/s)]);
    Object.assign(vault, { sealed: false, fault: undefined });
    expect([one.standingOf('builder'), await asks(auth.client_token)]).toEqual(['active', 200]);
    return auth.client_token;
  }

  it('is remembered by the freeze that is finished later, and the thaw makes the identity anew', async () => {
    const stolen = await tampering();
    const before = vault.identity.entities.get('agov-builder')?.id;
    await must(project.agov('kill', '--retry'));
    expect([one.standingOf('builder'), vault.identity.roles.size, await asks(stolen)]).toEqual(['tampered', 0, 403]);
    await must(project.agov('thaw', 'builder', '--reason', 'it was the courier'));
    expect([one.standingOf('builder'), await asks(stolen)]).toEqual(['active', 403]);
    expect(vault.identity.entities.get('agov-builder')?.id).not.toBe(before);
    await must(one.run('dev/db'));
    expect((await stepsOf()).filter((step) => step === 'renewed')).toHaveLength(1);
    // It is over: what follows is a freeze like any other.
    await must(project.agov('freeze', 'builder', '--reason', 'a look'));
    expect(one.standingOf('builder')).toBe('suspended');
  });

  it('is remembered by the next lease, where the thaw did not reach Vault either', async () => {
    const stolen = await tampering();
    vault.sealed = true;
    expect((await project.agov('thaw', 'builder', '--reason', 'it was the courier')).code).not.toBe(0);
    vault.sealed = false;
    expect(await asks(stolen)).toBe(200);
    await must(one.run('dev/db'));
    expect([one.standingOf('builder'), await asks(stolen)]).toEqual(['active', 403]);
    await must(project.agov('kill', '--retry'));
    await must(one.run('dev/db'));
    expect((await stepsOf()).filter((step) => step === 'renewed')).toHaveLength(1);
  });
});
