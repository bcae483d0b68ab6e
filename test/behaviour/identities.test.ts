/** Agents with an identity in Vault, as their operator and whoever is after them meet it. */
import { appendFileSync, chmodSync, copyFileSync, existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../support/cli.ts';
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

it('enrols whoever is added, on record, and moves them with their tier', async () => {
  await must(project.agov('agent', 'add', 'builder', '--tier', 'T1'));
  expect(one.groupsOf('builder')).toEqual(['agov-t1']);
  await must(project.agov('agent', 'promote', 'builder', '--to', 'T2', '--reason', 'did well'));
  expect(one.groupsOf('builder')).toEqual(['agov-t2']);
  const demoted = await must(project.agov('agent', 'demote', 'builder', '--to', 'T0', '--reason', 'did not'));
  expect(demoted.stdout).toContain('at T0 now');
  expect(one.groupsOf('builder')).toEqual(['agov-t0']);
  expect((await one.authority()).map(({ tier, body }) => [tier, body['step'], body['operator']])).toEqual([
    ...[
      ['T1', 'enrolled', 'ada'],
      ['T2', 'moved', 'ada'],
      ['T0', 'moved', 'ada'],
    ],
  ]);
  const wrong = await project.agov('agent', 'promote', 'builder', '--to', 'T0', '--reason', 'x');
  expect(wrong.code).toBe(0);
  const way = await project.agov('agent', 'demote', 'builder', '--to', 'T2', '--reason', 'x');
  expect([way.code, way.stderr]).toEqual([65, expect.stringContaining('agov agent promote builder')]);
});

it('adds nobody while Vault is away, nor over an identity that is there', async () => {
  vault.sealed = true;
  const away = await project.agov('agent', 'add', 'builder', '--tier', 'T1');
  expect([away.code, away.stderr]).toEqual([69, expect.stringContaining('is sealed')]);
  expect(JSON.parse((await must(project.agov('agent', 'list', '--json'))).stdout)).toEqual([]);
  vault.sealed = false;
  await must(project.agov('agent', 'add', 'builder', '--tier', 'T1'));
  using other = await testProject();
  appendFileSync(
    join(other.root, 'agov.yaml'),
    readFileSync(join(project.root, 'agov.yaml'), 'utf8').split(/(?=^secrets:)/m)[1] ?? '',
  );
  other.environment['VAULT_TOKEN'] = vault.root;
  const taken = await other.agov('agent', 'add', 'builder');
  expect([taken.code, taken.stderr]).toEqual([73, expect.stringContaining('secrets.vault.prefix')]);
});

it('says what is missing when it was cut short after the record, and finishes it', async () => {
  vault.fault = (path, response) => {
    if (path !== 'auth/agov-t1/role/builder') return false;
    response.writeHead(403, { 'content-type': 'application/json' }).end('{"errors":["permission denied"]}');
    return true;
  };
  const cut = await project.agov('agent', 'add', 'builder', '--tier', 'T1');
  expect([cut.code, cut.stderr]).toEqual([
    69,
    expect.stringMatching(/is added, and its identity.*agov agent enroll builder/s),
  ]);
  vault.fault = undefined;
  await must(project.agov('agent', 'enroll', 'builder'));
  expect(vault.identity.roles.has('agov-t1/role/builder')).toBe(true);
});

it('refuses invitations where nothing could be handed over safely', async () => {
  await must(project.agov('agent', 'add', 'builder', '--tier', 'T1'));
  const file = join(files, 'invitation');
  await must(one.invite(file));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  symlinkSync(join(project.root, 'stolen'), join(files, 'link'));
  symlinkSync(project.root, join(files, 'way'));
  for (const [at, code, text] of [
    [file, 73, 'is there already'],
    [join(project.root, 'invitation'), 65, 'lies in the project'],
    [join(files, 'way', 'invitation'), 65, 'lies in the project'],
    [join(files, 'link'), 73, 'is there already'],
    [join(files, 'none', 'invitation'), 73, 'no folder'],
  ] as const) {
    const done = await one.invite(at);
    expect([at, done.code, done.stderr]).toEqual([at, code, expect.stringContaining(text)]);
  }
  expect((await one.invite(join(files, 'long'), 'builder', '--ttl', '2h')).code).toBe(65);
  expect((await one.invite(join(files, 'nobody'), 'nobody')).code).toBe(66);
  expect(existsSync(join(files, 'nobody'))).toBe(false);
  const minted = vault.requests.filter(({ path }) => path.endsWith('/secret-id'));
  expect(minted).toHaveLength(1);
});

describeWith('bwrap', 'a command with secrets', () => {
  beforeEach(() => must(project.agov('agent', 'add', 'builder', '--tier', 'T1')));

  it('leases as its agent, and leaves no token and no credential in the record', async () => {
    expect((await must(one.run('dev/db'))).stdout).toBe('ran\n');
    expect(one.agentTokens()).toEqual([]);
    const [, login] = await one.authority();
    expect(login?.body).toMatchObject({
      step: 'login',
      by: 'own invitation',
      accessor: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(JSON.stringify(await project.entries())).not.toMatch(/hunter2|fake-accessor|fake-token|fake-secret/);
  });

  it('has what its tier has in Vault and no more, although the governor would allow it', async () => {
    vault.tokens.policies.set('agov-t1', { 'auth/token/create': ['update'] });
    const done = await one.run('dev/db');
    expect([done.code, done.stdout, done.stderr]).toEqual([
      77,
      '',
      expect.stringContaining('Vault does not let the agent'),
    ]);
    expect(one.agentTokens()).toEqual([]);
  });

  it('is stopped by a demotion, since its sandbox is that of the higher tier, and not by a promotion', async () => {
    const started = project.start(['run', '--agent', 'builder', '--', 'sh', '-c', 'echo ready; sleep 60']);
    await started.printed('ready');
    await must(project.agov('agent', 'promote', 'builder', '--to', 'T2', '--reason', 'well'));
    expect(started.child.exitCode).toBeNull();
    await must(project.agov('agent', 'demote', 'builder', '--to', 'T0', '--reason', 'badly'));
    const ended = await started.done;
    expect([ended.code, ended.stderr]).toEqual([137, expect.stringContaining('moved to T0')]);
    expect(await one.authority()).toMatchObject([{ tier: 'T1' }, { tier: 'T2' }, { tier: 'T0' }]);
  });

  it('finishes a demotion that never reached Vault before it leases anything', async () => {
    await must(project.agov('agent', 'promote', 'builder', '--to', 'T2', '--reason', 'well'));
    await must(one.run('staging/db'));
    vault.fault = (path, response, request) => {
      if (request.method !== 'POST' || !path.includes('~identities')) return false;
      response.writeHead(403, { 'content-type': 'application/json' }).end('{"errors":["permission denied"]}');
      return true;
    };
    const cut = await project.agov('agent', 'demote', 'builder', '--to', 'T1', '--reason', 'badly');
    expect([cut.code, cut.stderr]).toEqual([69, expect.stringContaining('at T1 in the ledger')]);
    vault.fault = undefined;
    expect(one.groupsOf('builder')).toEqual(['agov-t2']);
    await must(one.run('dev/db'));
    expect(one.groupsOf('builder')).toEqual(['agov-t1']);
  });

  it('is let in by a delivered invitation, once', async () => {
    const [file, copy] = [join(files, 'invitation'), join(files, 'copy')];
    await must(one.invite(file));
    copyFileSync(file, copy);
    const mints = (): number => vault.requests.filter(({ path }) => path.endsWith('/secret-id')).length;
    const before = mints();
    await must(one.run('dev/db', '--invitation', file));
    expect(mints()).toBe(before);
    const again = await one.run('dev/db', '--invitation', copy);
    expect([again.code, again.stdout, again.stderr]).toEqual([65, '', expect.stringContaining('has been used')]);
    expect((await must(one.run('dev/db'))).stdout).toBe('ran\n');
  });

  it('is let in by no invitation of another agent, nor by one that others can read, nor by any other file', async () => {
    await must(project.agov('agent', 'add', 'eve', '--tier', 'T1'));
    const file = join(files, 'eves');
    await must(one.invite(file, 'eve'));
    const eves = await one.run('dev/db', '--invitation', file);
    expect([eves.code, eves.stderr]).toEqual([65, expect.stringContaining('invites "eve"')]);
    const text = readFileSync(file, 'utf8').replace('"eve"', '"builder"');
    appendFileSync(join(files, 'forged'), text, { mode: 0o600 });
    expect((await one.run('dev/db', '--invitation', join(files, 'forged'))).stderr).toContain('not one for "builder"');
    chmodSync(file, 0o644);
    expect((await one.run('dev/db', '--invitation', file)).code).toBe(78);
    appendFileSync(join(files, 'other'), 'hunter2', { mode: 0o600 });
    const other = await one.run('dev/db', '--invitation', join(files, 'other'));
    expect([other.code, other.stderr]).toEqual([65, expect.stringContaining('holds no invitation')]);
    expect(other.stderr).not.toContain('hunter2');
  });

  it('freezes an agent whose invitation somebody else opened, and says so on record', async () => {
    const file = join(files, 'invitation');
    await must(one.invite(file));
    const { token } = JSON.parse(readFileSync(file, 'utf8'));
    const opened = await fetch(new URL('/v1/sys/wrapping/unwrap', vault.address), {
      method: 'POST',
      headers: { 'X-Vault-Token': token },
    });
    expect(opened.status).toBe(200);
    const done = await one.run('dev/db', '--invitation', file);
    expect([done.code, done.stdout, done.stderr]).toEqual([77, '', expect.stringContaining('tampered with')]);
    const entries = await project.entries();
    expect(entries.find(({ kind }) => kind === 'violation')).toMatchObject({
      ...{ agent: 'builder', body: { what: 'tampered with the identity', details: { reason: 'opened' } } },
    });
    expect(JSON.parse((await must(project.agov('agent', 'list', '--json'))).stdout)).toMatchObject([
      { status: 'frozen' },
    ]);
    expect(vault.identity.entities.get('agov-builder')).toMatchObject({
      disabled: true,
      metadata: { standing: 'tampered' },
    });
    expect((await one.run('dev/db')).code).toBe(77);
    expect(JSON.stringify(entries)).not.toContain(token);
    await must(project.agov('thaw', 'builder', '--reason', 'it was the courier'));
    await must(one.run('dev/db'));
  });
});
