/**
 * One governor that lives on while the servers it rests on fail under it: no effect without authority, no call past its
 * deadline, no secret on record, and everything works again when they do, without a restart.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type App, openApp } from '../../src/app/index.ts';
import { everyEntry } from '../../src/governance/ledger/index.ts';
import { isAgovError, systemEnv } from '../../src/kernel/index.ts';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { type FaultProxy, faultProxy } from '../support/fault-proxy.ts';
import { describeWith } from '../support/needs.ts';
import { type RedisServer, redisServer } from '../support/redis-server.ts';
import { type FakeVault, fakeVault, laidOut } from '../support/vault/index.ts';

const env = systemEnv();
const hidden = 'hunter2-hunter2';
/** What a call may take beyond its deadline on a busy machine. */
const graceMs = 4000;

let project: TestProject;
const opened: AsyncDisposable[] = [];
const use = <T extends AsyncDisposable>(one: T): T => {
  opened.push(one);
  return one;
};
beforeEach(async () => {
  project = await testProject();
});
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
  project[Symbol.dispose]();
});

const open = (): App => use(openApp({ from: project.root, environment: project.environment, env }));
const effects = (): number => {
  const path = join(project.root, 'effects');
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
};

/** One governed command that leaves a trace; `ok`, `deny`, or the code of the error. */
async function act(app: App, secrets: Record<string, string> = {}): Promise<string> {
  const exec = await app.exec();
  const channel = { agent: 'builder', run: 'run-1', workspace: project.root };
  try {
    const acted = await exec({ channel, argv: ['sh', '-c', 'echo done >> effects'], stdin: 'none', secrets });
    return acted.verdict === 'allow' ? acted.outcome.status : acted.verdict;
  } catch (error) {
    if (isAgovError(error)) return error.code;
    throw error;
  }
}

/** It does nothing, says so with `code`, and is done within `deadlineMs`. */
async function expectNothing(work: () => Promise<string>, code: string, deadlineMs: number): Promise<void> {
  const before = effects();
  const began = env.monotonic();
  expect(await work()).toBe(code);
  expect(env.monotonic() - began).toBeLessThan(deadlineMs + graceMs);
  expect(effects()).toBe(before);
}

/** The breaker's pauses are of real time: asks until it is answered well. */
async function expectRecovery(work: () => Promise<string>): Promise<void> {
  const before = effects();
  await expect.poll(work, { timeout: 15_000, interval: 50 }).toBe('ok');
  expect(effects()).toBe(before + 1);
}

/** Each effect has an allowed intent and an outcome above it, and the record is whole. */
async function expectOnRecord(app: App): Promise<void> {
  const ledger = await app.ledger();
  const done = [...everyEntry(ledger, { kinds: ['outcome'] })].filter(
    ({ body, parent }) => body['status'] === 'ok' && ledger.byId(parent ?? '')?.body['action'] === 'process.exec',
  );
  expect(done).toHaveLength(effects());
  expect(ledger.openIds().filter((id) => ledger.byId(id)?.kind === 'intent')).toEqual([]);
  expect(ledger.verify()).toMatchObject({ ok: true });
}

describeWith('bwrap redis-server', 'the state server', () => {
  const deadlineMs = 500;
  let server: RedisServer;
  let proxy: FaultProxy;
  let app: App;
  beforeEach(async () => {
    server = use(await redisServer());
    proxy = use(await faultProxy(server.port));
    project.environment['AGOV_STATE_URL'] = `redis://127.0.0.1:${proxy.port}`;
    project.environment['AGOV_STATE_DEADLINE'] = `${deadlineMs}ms`;
    await must(project.agov('agent', 'add', 'builder', '--tier', 'T1'));
    await must(project.agov('agent', 'add', 'liar', '--tier', 'T1'));
    await must(project.agov('agent', 'revoke', 'liar', '--reason', 'it lied'));
    app = open();
    expect(await act(app)).toBe('ok');
  });
  afterEach(() => expectOnRecord(app));

  it('is stopped and started', async () => {
    await server.kill();
    await expectNothing(() => act(app), 'STATE_UNAVAILABLE', deadlineMs);
    await server.start();
    await expectRecovery(() => act(app));
    expect((await (await app.roster()).get('liar')).status).toBe('revoked');
  });

  it('is flushed', async () => {
    await server.admin().flushall();
    await expectRecovery(() => act(app));
    expect((await (await app.roster()).get('liar')).status).toBe('revoked');
  });

  it('is slow by two seconds', async () => {
    proxy.set({ delayMs: 2000 });
    await expectNothing(() => act(app), 'STATE_UNAVAILABLE', deadlineMs);
    proxy.set({});
    await expectRecovery(() => act(app));
  });

  it('never answers', async () => {
    proxy.set({ blackHole: true });
    await expectNothing(() => act(app), 'STATE_UNAVAILABLE', deadlineMs);
    proxy.set({});
    await expectRecovery(() => act(app));
  });

  it('answers garbage', async () => {
    proxy.set({ garbage: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') });
    proxy.cut();
    await expectNothing(() => act(app), 'STATE_UNAVAILABLE', deadlineMs);
    proxy.set({});
    await expectRecovery(() => act(app));
  });

  it('cuts every tenth connection, and all there are again and again', async () => {
    proxy.set({ cutEvery: 10 });
    const before = effects();
    let ok = 0;
    for (let i = 0; i < 12; i++) {
      proxy.cut();
      const code = await act(app);
      expect(['ok', 'STATE_UNAVAILABLE']).toContain(code);
      if (code === 'ok') ok += 1;
    }
    expect(ok).toBeGreaterThan(6);
    expect(effects() - before).toBe(ok);
  });
});

describeWith('bwrap', 'Vault', () => {
  const deadlineMs = 1000;
  let vault: FakeVault;
  let app: App;
  beforeEach(async () => {
    vault = use(await fakeVault({ env }));
    await laidOut(vault, systemEnv());
    const text = `secrets: { vault: { address: "${vault.address.origin}", deadline: ${deadlineMs}ms } }\n`;
    appendFileSync(join(project.root, 'agov.yaml'), text);
    project.environment['VAULT_TOKEN'] = vault.root;
    await must(project.agov('agent', 'add', 'builder', '--tier', 'T1'));
    await must(project.agovWith(hidden, 'secret', 'set', 'dev/db'));
    app = open();
    expect(await act(app, { DB: 'dev/db' })).toBe('ok');
  });
  afterEach(async () => {
    await expectOnRecord(app);
    const entries = JSON.stringify(await project.entries());
    for (const secret of [hidden, vault.root]) expect(entries).not.toContain(secret);
  });

  const answer =
    (status: number, body: string, headers = {}): NonNullable<FakeVault['fault']> =>
    (_path, response) => {
      response.writeHead(status, headers).end(body);
      return true;
    };

  it.each<[string, NonNullable<FakeVault['fault']>]>([
    [
      'is throttled',
      answer(429, '{"errors":["request path \\"x\\": rate limit quota exceeded"]}', { 'retry-after': '60' }),
    ],
    ['answers 500', answer(500, '{"errors":["internal error"]}')],
    ['answers garbage', answer(200, '<html>hello</html>')],
    ['answers another thing than was asked', answer(200, '{"data":{"keys":["x"]}}')],
    ['never answers', () => true],
    ['stops in the middle of an answer', (_path, response) => Boolean(response.write('{"data":'))],
  ])('%s', async (_what, fault) => {
    vault.fault = fault;
    await expectNothing(() => act(app, { DB: 'dev/db' }), 'SECRETS_UNAVAILABLE', 3 * deadlineMs);
    // What needs no secret is not kept from its work.
    expect(await act(app)).toBe('ok');
    vault.fault = undefined;
    await expectRecovery(() => act(app, { DB: 'dev/db' }));
  });

  it('is sealed', async () => {
    vault.sealed = true;
    await expectNothing(() => act(app, { DB: 'dev/db' }), 'SECRETS_UNAVAILABLE', deadlineMs);
    vault.sealed = false;
    await expectRecovery(() => act(app, { DB: 'dev/db' }));
  });
});
