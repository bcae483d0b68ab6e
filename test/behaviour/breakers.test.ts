/** A process that lives on while its servers fail: it is told at once, asks them seldom, and goes on when they are back. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type App, openApp } from '../../src/app/index.ts';
import { isAgovError, Secret, systemEnv } from '../../src/kernel/index.ts';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { type FakeEnv, fakeEnv } from '../support/fake-env.ts';
import { describeWith } from '../support/needs.ts';
import { redisServer } from '../support/redis-server.ts';
import { fakeVault, laidOut } from '../support/vault/index.ts';
import { fakeVaultWithTransit } from '../support/vault/transit.ts';

let project: TestProject;
beforeEach(async () => {
  project = await testProject();
});
afterEach(() => project[Symbol.dispose]());

const open = (env = systemEnv()): App => openApp({ from: project.root, environment: project.environment, env });
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'ok',
    (error: unknown) => (isAgovError(error) ? error.code : error),
  );
const stateOf = (app: App, name: string) => app.breakers().find((breaker) => breaker.name === name)?.state;
const intent = { action: 'fs.read', resource: 'README.md', args: {} } as const;
/** Asks until it is answered: the breaker's pauses are of real time here. */
async function answered(ask: () => Promise<unknown>): Promise<void> {
  const env = systemEnv();
  const until = env.monotonic() + 10_000;
  while ((await codeOf(ask())) !== 'ok' && env.monotonic() < until) await env.sleep(20);
}

describeWith('redis-server', 'the state server goes away under a governor', () => {
  it('denies at once while it is away, kills try anyway, and the next decision after it is back is taken', async () => {
    await using server = await redisServer();
    project.environment['AGOV_STATE_URL'] = `redis://127.0.0.1:${server.port}`;
    await must(project.agov('agent', 'add', 'builder', '--tier', 'T1'));
    await using app = open();
    const governor = await app.governor();
    const begin = () => governor.begin({ agent: 'builder', run: 'run-1', workspace: project.root }, intent);
    const verdict = async () => (await begin()).verdict;
    expect(await verdict()).toBe('allow');
    await server.kill();
    const before = (await app.ledger()).head().size;
    // The reply that a dying server did not send may be the first failure.
    for (let i = 0; i < 3; i++) expect(await codeOf(begin())).toBe('STATE_UNAVAILABLE');
    expect(stateOf(app, 'state')).toBe('open');
    const began = performance.now();
    const held = await begin().catch((error: unknown) => error);
    expect(performance.now() - began).toBeLessThan(50);
    expect(isAgovError(held) && held.details).toMatchObject({ breaker: 'state' });
    expect((await app.ledger()).head().size).toBe(before);
    const urgent = await (await app.urgent.state()).registry.liveRuns().catch((error: unknown) => error);
    expect(isAgovError(urgent) && urgent.details?.['breaker']).toBeUndefined();
    await server.start();
    await answered(begin);
    expect(stateOf(app, 'state')).toBe('closed');
  });

  it('opens a project while it is away, and goes on when it has come', async () => {
    await using server = await redisServer();
    await server.kill();
    project.environment['AGOV_STATE_URL'] = `redis://127.0.0.1:${server.port}`;
    await using app = open();
    for (let i = 0; i < 4; i++) expect(await codeOf(app.roster())).toBe('STATE_UNAVAILABLE');
    expect(stateOf(app, 'state')).toBe('open');
    await server.start();
    await answered(() => app.roster());
    expect(await (await app.roster()).list()).toEqual([]);
  });
});

it('asks a sealed Vault three times, ends leases all the same, and leases again after the unsealing', async () => {
  const env: FakeEnv = fakeEnv();
  await using vault = await fakeVault({ env });
  appendFileSync(
    join(project.root, 'agov.yaml'),
    `secrets: { vault: { address: "${vault.address.origin}", deadline: 3s } }\n`,
  );
  project.environment['VAULT_TOKEN'] = vault.root;
  await using app = open(env);
  const secrets = await app.secrets();
  await secrets.set('dev/db', new Secret('hunter2-hunter2'));
  const use = { ttlMs: 60_000, intent: 'intent-1' };
  const lease = await secrets.lease('dev/db', use);
  vault.sealed = true;
  for (let i = 0; i < 3; i++) expect(await codeOf(secrets.lease('dev/db', use))).toBe('SECRETS_UNAVAILABLE');
  const asked = vault.requests.length;
  expect(await codeOf(secrets.lease('dev/db', use))).toBe('SECRETS_UNAVAILABLE');
  expect(vault.requests).toHaveLength(asked);
  expect(await codeOf(secrets.end(lease.id))).toBe('SECRETS_UNAVAILABLE');
  expect(vault.requests.length).toBeGreaterThan(asked);
  vault.sealed = false;
  env.advance(2000);
  expect((await secrets.lease('dev/db', use)).value.reveal()).toBe('hunter2-hunter2');
  expect(stateOf(app, 'secrets')).toBe('closed');
});

it('holds back nobody for one path of Vault that fails, and everybody where all of it does', async () => {
  const env = systemEnv();
  await using vault = await fakeVault({ env });
  appendFileSync(
    join(project.root, 'agov.yaml'),
    `secrets: { vault: { address: "${vault.address.origin}", deadline: 400ms } }\n`,
  );
  project.environment['VAULT_TOKEN'] = vault.root;
  await using app = open(env);
  const secrets = await app.secrets();
  await secrets.set('dev/db', new Secret('hunter2-hunter2'));
  await secrets.set('dev/broken', new Secret('hunter3-hunter3'));
  const use = { ttlMs: 60_000, intent: 'intent-1' };
  let fails = (path: string): boolean => path === 'agov/data/dev/broken';
  vault.fault = (path, response) => fails(path) && response.writeHead(500).end() !== undefined;
  for (let i = 0; i < 4; i++) expect(await codeOf(secrets.lease('dev/broken', use))).toBe('SECRETS_UNAVAILABLE');
  expect(stateOf(app, 'secrets')).toBe('closed');
  const lease = await secrets.lease('dev/db', use);
  fails = (path) => path !== 'sys/health';
  for (let i = 0; i < 3; i++) expect(await codeOf(secrets.lease('dev/db', use))).toBe('SECRETS_UNAVAILABLE');
  expect(stateOf(app, 'secrets')).toBe('open');
  fails = () => false;
  await secrets.end(lease.id);
  expect(stateOf(app, 'secrets')).toBe('closed');
});

it('fails at once to record while Vault, which signs, is sealed; a kill tries all the same', async () => {
  await using vault = await fakeVaultWithTransit();
  await laidOut(vault, systemEnv());
  const text = `secrets: { vault: { address: "${vault.address.origin}", deadline: 3s } }\nledger: { transit: {} }\n`;
  appendFileSync(join(project.root, 'agov.yaml'), text);
  project.environment['VAULT_TOKEN'] = vault.root;
  await must(project.agov('agent', 'add', 'builder', '--tier', 'T1'));
  await using app = open(fakeEnv({ now: systemEnv().now() }));
  const append = async () => (await app.ledger()).append({ kind: 'run', body: {} });
  const why = { by: app.operator(), reason: 'it lied' };
  const kill = async () => app.kill({ agent: 'builder' }, why);
  await append();
  vault.sealed = true;
  for (let i = 0; i < 3; i++) expect(await codeOf(append())).toBe('LEDGER_UNAVAILABLE');
  const asked = vault.requests.length;
  expect([await codeOf(append()), vault.requests.length]).toEqual(['LEDGER_UNAVAILABLE', asked]);
  expect(await codeOf(kill())).toBe('LEDGER_UNAVAILABLE');
  expect(vault.requests.length).toBeGreaterThan(asked);
  vault.sealed = false;
  expect([stateOf(app, 'signer'), await codeOf(append())]).toEqual(['open', 'LEDGER_UNAVAILABLE']);
  expect((await kill())[0]?.steps.filter(({ ok }) => !ok)).toEqual([]);
  expect([stateOf(app, 'signer'), await codeOf(append())]).toEqual(['closed', 'ok']);
});

it('has no breaker, and loads none, where there is no server', async () => {
  await using app = open();
  await app.roster();
  await app.secrets();
  expect(app.breakers()).toEqual([]);
});
