/** Agents with an identity in Vault, as their operator and whoever is after them meet it. */
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openHousekeeper } from '../../src/app/housekeeping.ts';
import { openApp } from '../../src/app/index.ts';
import { systemEnv } from '../../src/kernel/index.ts';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';
import { type FakeVault, fakeVault, laidOut } from '../support/vault/index.ts';

let project: TestProject;
let vault: FakeVault;
let files: string;
beforeEach(async () => {
  project = await testProject();
  vault = await fakeVault({ env: systemEnv() });
  await laidOut(vault, systemEnv());
  files = mkdtempSync(join(tmpdir(), 'agov-identities-'));
  const text = `secrets:\n  vault:\n    address: ${vault.address.origin}\n    deadline: 3s\n`;
  appendFileSync(join(project.root, 'agov.yaml'), text);
  project.environment['VAULT_TOKEN'] = vault.root;
  for (const path of ['dev/db', 'staging/db']) {
    vault.kv.answer('POST', `data/${path}`, false, { data: { value: 'hunter2-hunter2' } });
  }
});
afterEach(async () => {
  await vault[Symbol.asyncDispose]();
  project[Symbol.dispose]();
  rmSync(files, { recursive: true });
});

const groupsOf = (agent: string): readonly string[] =>
  vault.identity.groupsOf(vault.identity.entities.get(`agov-${agent}`)?.id ?? '').map(({ name }) => name);
const run = (secret: string, ...more: string[]) =>
  project.agov('run', '--agent', 'builder', '--secret', `DB=${secret}`, ...more, '--', 'sh', '-c', 'echo ran');
const invite = (file: string, agent = 'builder', ...more: string[]) =>
  project.agov('agent', 'invite', agent, '--out', file, ...more);
const authority = async () => (await project.entries()).filter(({ kind }) => kind === 'authority');
const agentTokens = () => [...vault.tokens.live.values()].filter(({ entity }) => entity !== undefined);

it('enrols whoever is added, on record, and moves them with their tier', async () => {
  await must(project.agov('agent', 'add', 'builder', '--tier', 'T1'));
  expect(groupsOf('builder')).toEqual(['agov-t1']);
  await must(project.agov('agent', 'promote', 'builder', '--to', 'T2', '--reason', 'did well'));
  expect(groupsOf('builder')).toEqual(['agov-t2']);
  const demoted = await must(project.agov('agent', 'demote', 'builder', '--to', 'T0', '--reason', 'did not'));
  expect(demoted.stdout).toContain('at T0 now');
  expect(groupsOf('builder')).toEqual(['agov-t0']);
  expect((await authority()).map(({ tier, body }) => [tier, body['step'], body['operator']])).toEqual([
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

const standingOf = (agent: string): unknown => vault.identity.entities.get(`agov-${agent}`)?.metadata['standing'];
const retire = (...more: string[]) => project.agov('agent', 'retire', 'builder', ...more);
const stepsOf = async () => (await authority()).map(({ body }) => body['step']);

it('ends the identity of whoever is retired, on record, and with Vault away says so and is finished later', async () => {
  await must(project.agov('agent', 'add', 'builder', '--tier', 'T1'));
  vault.sealed = true;
  const cut = await retire();
  expect([cut.code, cut.stderr]).toEqual([69, expect.stringMatching(/is retired, and its identity.*sealed.*enroll/s)]);
  expect(JSON.parse((await must(project.agov('agent', 'list', '--json'))).stdout)).toMatchObject([
    { status: 'retired' },
  ]);
  vault.sealed = false;
  expect([standingOf('builder'), await stepsOf()]).toEqual(['active', ['enrolled']]);
  expect((await must(project.agov('agent', 'enroll', 'builder'))).stdout).toContain('has ended');
  expect([
    standingOf('builder'),
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
  expect([standingOf('builder'), standingOf('other')]).toEqual(['retired', 'active']);
  await using app = openApp({ from: project.root, environment: project.environment });
  await using housekeeper = openHousekeeper(app, () => undefined);
  await housekeeper.first;
  expect(standingOf('other')).toBe('retired');
});

it('refuses invitations where nothing could be handed over safely', async () => {
  await must(project.agov('agent', 'add', 'builder', '--tier', 'T1'));
  const file = join(files, 'invitation');
  await must(invite(file));
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
    const done = await invite(at);
    expect([at, done.code, done.stderr]).toEqual([at, code, expect.stringContaining(text)]);
  }
  expect((await invite(join(files, 'long'), 'builder', '--ttl', '2h')).code).toBe(65);
  expect((await invite(join(files, 'nobody'), 'nobody')).code).toBe(66);
  expect(existsSync(join(files, 'nobody'))).toBe(false);
  const minted = vault.requests.filter(({ path }) => path.endsWith('/secret-id'));
  expect(minted).toHaveLength(1);
});

describeWith('bwrap', 'a command with secrets', () => {
  beforeEach(() => must(project.agov('agent', 'add', 'builder', '--tier', 'T1')));

  it('leases as its agent, and leaves no token and no credential in the record', async () => {
    expect((await must(run('dev/db'))).stdout).toBe('ran\n');
    expect(agentTokens()).toEqual([]);
    const [, login] = await authority();
    expect(login?.body).toMatchObject({
      step: 'login',
      by: 'own invitation',
      accessor: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(JSON.stringify(await project.entries())).not.toMatch(/hunter2|fake-accessor|fake-token|fake-secret/);
  });

  it('has what its tier has in Vault and no more, although the governor would allow it', async () => {
    vault.tokens.policies.set('agov-t1', { 'auth/token/create': ['update'] });
    const done = await run('dev/db');
    expect([done.code, done.stdout, done.stderr]).toEqual([
      77,
      '',
      expect.stringContaining('Vault does not let the agent'),
    ]);
    expect(agentTokens()).toEqual([]);
  });

  it('is stopped by a demotion, since its sandbox is that of the higher tier, and not by a promotion', async () => {
    const started = project.start(['run', '--agent', 'builder', '--', 'sh', '-c', 'echo ready; sleep 60']);
    await started.printed('ready');
    await must(project.agov('agent', 'promote', 'builder', '--to', 'T2', '--reason', 'well'));
    expect(started.child.exitCode).toBeNull();
    await must(project.agov('agent', 'demote', 'builder', '--to', 'T0', '--reason', 'badly'));
    const ended = await started.done;
    expect([ended.code, ended.stderr]).toEqual([137, expect.stringContaining('moved to T0')]);
    expect(await authority()).toMatchObject([{ tier: 'T1' }, { tier: 'T2' }, { tier: 'T0' }]);
  });

  it('goes on to its end when its agent is retired, and ends the identity with it', async () => {
    const script = 'echo ready; until [ -e go ]; do sleep 0.05; done; echo "$DB" | wc -c';
    const started = project.start(['run', '--agent', 'builder', '--secret', 'DB=dev/db', '--', 'sh', '-c', script]);
    await started.printed('ready');
    expect((await must(retire())).stdout).toContain('ends with the token');
    expect([standingOf('builder'), vault.identity.roles.size, agentTokens().length > 0]).toEqual(['active', 0, true]);
    appendFileSync(join(project.root, 'go'), '');
    expect(await started.done).toMatchObject({ code: 0, stdout: expect.stringContaining('16') });
    expect([standingOf('builder'), agentTokens()]).toEqual(['retired', []]);
    expect(await stepsOf()).toEqual(['enrolled', 'login', 'retiring', 'retired']);
  });

  it('finishes a demotion that never reached Vault before it leases anything', async () => {
    await must(project.agov('agent', 'promote', 'builder', '--to', 'T2', '--reason', 'well'));
    await must(run('staging/db'));
    vault.fault = (path, response, request) => {
      if (request.method !== 'POST' || !path.includes('~identities')) return false;
      response.writeHead(403, { 'content-type': 'application/json' }).end('{"errors":["permission denied"]}');
      return true;
    };
    const cut = await project.agov('agent', 'demote', 'builder', '--to', 'T1', '--reason', 'badly');
    expect([cut.code, cut.stderr]).toEqual([69, expect.stringContaining('at T1 in the ledger')]);
    vault.fault = undefined;
    expect(groupsOf('builder')).toEqual(['agov-t2']);
    await must(run('dev/db'));
    expect(groupsOf('builder')).toEqual(['agov-t1']);
  });

  it('is let in by a delivered invitation, once', async () => {
    const [file, copy] = [join(files, 'invitation'), join(files, 'copy')];
    await must(invite(file));
    copyFileSync(file, copy);
    const mints = (): number => vault.requests.filter(({ path }) => path.endsWith('/secret-id')).length;
    const before = mints();
    await must(run('dev/db', '--invitation', file));
    expect(mints()).toBe(before);
    const again = await run('dev/db', '--invitation', copy);
    expect([again.code, again.stdout, again.stderr]).toEqual([65, '', expect.stringContaining('has been used')]);
    expect((await must(run('dev/db'))).stdout).toBe('ran\n');
  });

  it('is let in by no invitation of another agent, nor by one that others can read, nor by any other file', async () => {
    await must(project.agov('agent', 'add', 'eve', '--tier', 'T1'));
    const file = join(files, 'eves');
    await must(invite(file, 'eve'));
    const eves = await run('dev/db', '--invitation', file);
    expect([eves.code, eves.stderr]).toEqual([65, expect.stringContaining('invites "eve"')]);
    const text = readFileSync(file, 'utf8').replace('"eve"', '"builder"');
    appendFileSync(join(files, 'forged'), text, { mode: 0o600 });
    expect((await run('dev/db', '--invitation', join(files, 'forged'))).stderr).toContain('not one for "builder"');
    chmodSync(file, 0o644);
    expect((await run('dev/db', '--invitation', file)).code).toBe(78);
    appendFileSync(join(files, 'other'), 'hunter2', { mode: 0o600 });
    const other = await run('dev/db', '--invitation', join(files, 'other'));
    expect([other.code, other.stderr]).toEqual([65, expect.stringContaining('holds no invitation')]);
    expect(other.stderr).not.toContain('hunter2');
  });

  describe('tampering that shows while Vault goes away', () => {
    const dev = () => new URL('/v1/agov/data/dev/db', vault.address);
    const asks = async (token: string): Promise<number> =>
      (await fetch(dev(), { headers: { 'X-Vault-Token': token } })).status;
    /** Somebody opened the invitation and logged in by it; Vault is sealed before anything can be done about it. */
    async function tampering(): Promise<string> {
      const file = join(files, 'invitation');
      await must(invite(file));
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
      const done = await run('dev/db', '--invitation', file);
      expect([done.code, done.stderr]).toEqual([
        77,
        expect.stringMatching(/not all could be done.*agov kill builder/s),
      ]);
      Object.assign(vault, { sealed: false, fault: undefined });
      expect([standingOf('builder'), await asks(auth.client_token)]).toEqual(['active', 200]);
      return auth.client_token;
    }

    it('is remembered by the freeze that is finished later, and the thaw makes the identity anew', async () => {
      const stolen = await tampering();
      const before = vault.identity.entities.get('agov-builder')?.id;
      await must(project.agov('kill', '--retry'));
      expect([standingOf('builder'), vault.identity.roles.size, await asks(stolen)]).toEqual(['tampered', 0, 403]);
      await must(project.agov('thaw', 'builder', '--reason', 'it was the courier'));
      expect([standingOf('builder'), await asks(stolen)]).toEqual(['active', 403]);
      expect(vault.identity.entities.get('agov-builder')?.id).not.toBe(before);
      await must(run('dev/db'));
      expect((await stepsOf()).filter((step) => step === 'renewed')).toHaveLength(1);
      // It is over: what follows is a freeze like any other.
      await must(project.agov('freeze', 'builder', '--reason', 'a look'));
      expect(standingOf('builder')).toBe('suspended');
    });

    it('is remembered by the next lease, where the thaw did not reach Vault either', async () => {
      const stolen = await tampering();
      vault.sealed = true;
      expect((await project.agov('thaw', 'builder', '--reason', 'it was the courier')).code).not.toBe(0);
      vault.sealed = false;
      expect(await asks(stolen)).toBe(200);
      await must(run('dev/db'));
      expect([standingOf('builder'), await asks(stolen)]).toEqual(['active', 403]);
      await must(project.agov('kill', '--retry'));
      await must(run('dev/db'));
      expect((await stepsOf()).filter((step) => step === 'renewed')).toHaveLength(1);
    });
  });

  it('freezes an agent whose invitation somebody else opened, and says so on record', async () => {
    const file = join(files, 'invitation');
    await must(invite(file));
    const { token } = JSON.parse(readFileSync(file, 'utf8'));
    const opened = await fetch(new URL('/v1/sys/wrapping/unwrap', vault.address), {
      method: 'POST',
      headers: { 'X-Vault-Token': token },
    });
    expect(opened.status).toBe(200);
    const done = await run('dev/db', '--invitation', file);
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
    expect((await run('dev/db')).code).toBe(77);
    expect(JSON.stringify(entries)).not.toContain(token);
    await must(project.agov('thaw', 'builder', '--reason', 'it was the courier'));
    await must(run('dev/db'));
  });
});
