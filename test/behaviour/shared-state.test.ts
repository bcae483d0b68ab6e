/** State on a server: what one process decides reaches what another drives, and the server can lose everything. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openDragonflyState } from '../../src/adapters/state/dragonfly/index.ts';
import { Secret, systemEnv } from '../../src/kernel/index.ts';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { textOf } from '../support/files.ts';
import { describeWith } from '../support/needs.ts';
import { type RedisServer, redisPassword, redisServer, stateCommands } from '../support/redis-server.ts';

describeWith('bwrap redis-server', 'a project whose state is on a server', () => {
  let server: RedisServer;
  let project: TestProject;
  beforeAll(async () => {
    server = await redisServer(['--requirepass', redisPassword]);
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    project = await testProject();
    project.environment['AGOV_STATE_URL'] = `redis://127.0.0.1:${server.port}`;
    project.environment['AGOV_STATE_PASSWORD'] = redisPassword;
    await must(project.agov('agent', 'add', 'builder', '--tier', 'T1'));
  });
  afterEach(() => project[Symbol.dispose]());

  const instance = (): string => readFileSync(join(project.root, '.agov', 'instance'), 'utf8').trim();
  const run = (...command: string[]) => project.start(['run', '--agent', 'builder', '--', ...command]);
  const waiting = ['sh', '-c', 'env; echo ready; sleep 60'];

  it('kills by a revocation in one process what another drives, and the ledger tells how fast', async () => {
    const started = run(...waiting);
    await started.printed('ready');
    const revoked = await must(project.agov('agent', 'revoke', 'builder', '--reason', 'it lied'));
    const ended = await started.done;
    expect(ended.stderr).toContain('revoked');
    expect(ended.stdout + ended.stderr + revoked.stdout + revoked.stderr).not.toContain(redisPassword);
    const kill = (await project.entries()).find((entry) => entry.kind === 'kill');
    expect(kill?.body['steps']).toMatchObject([
      { ok: true },
      { ok: true },
      { step: 'processes', ok: true },
      { ok: true },
    ]);
    expect((await project.agov('run', '--agent', 'builder', '--', 'true')).code).not.toBe(0);
  });

  it('kills what runs on a host that whoever revokes cannot reach', async () => {
    const started = run(...waiting);
    await started.printed('ready');
    const [tag, url] = [`agov:${instance()}`, `redis://127.0.0.1:${server.port}`];
    await using elsewhere = await openDragonflyState({
      ...{ env: systemEnv(), tag, url },
      password: new Secret(redisPassword),
    });
    const agent = await elsewhere.registry.get('builder');
    expect(await elsewhere.registry.liveRuns('builder')).toHaveLength(1);
    if (agent) await elsewhere.registry.put({ ...agent, status: 'revoked' });
    await elsewhere.events.publish('agent.revoked', { agent: 'builder', reason: 'it lied' });
    expect((await started.done).stderr).toContain('agent "builder" was revoked');
    expect(await elsewhere.registry.liveRuns()).toEqual([]);
  });

  it('stops what runs when the server has forgotten it', async () => {
    const started = run(...waiting);
    await started.printed('ready');
    await server.admin(redisPassword).flushall();
    expect((await started.done).stderr).toMatch(/not registered any more/);
  });

  it('rebuilds the server’s state from the ledger, revocations included', async () => {
    await must(project.agov('agent', 'add', 'liar', '--tier', 'T1'));
    await must(project.agov('agent', 'revoke', 'liar', '--reason', 'it lied'));
    const admin = server.admin(redisPassword);
    const agents = `{agov:${instance()}}:agents`;
    await admin.set(agents, 'damaged');
    const damaged = await project.agov('agent', 'list');
    expect([damaged.code, damaged.stderr]).toEqual([69, expect.stringContaining('agov state rebuild')]);
    expect((await must(project.agov('state', 'rebuild'))).stdout).toContain('2 agents');
    const listed = (await must(project.agov('agent', 'list'))).stdout;
    expect(listed).toMatch(/builder.*active[\s\S]*liar.*revoked/);
  });

  it('denies, with the reason, when the server is away or the password is wrong', async () => {
    project.environment['AGOV_STATE_PASSWORD'] = 'wrong';
    const refused = await project.agov('run', '--agent', 'builder', '--', 'true');
    expect([refused.code, refused.stderr]).toEqual([69, expect.stringContaining('AGOV_STATE_PASSWORD')]);
    project.environment['AGOV_STATE_URL'] = 'redis://127.0.0.1:1';
    const away = await project.agov('run', '--agent', 'builder', '--', 'true');
    expect([away.code, away.stderr]).toEqual([69, expect.stringContaining('refuses connections')]);
  });

  it('refuses a password in the file', async () => {
    const path = join(project.root, 'agov.yaml');
    delete project.environment['AGOV_STATE_URL'];
    writeFileSync(path, `version: 1\noperators: [{ name: ada }]\nstate: { url: "redis://u:hunter2@127.0.0.1:6379" }\n`);
    const refused = await project.agov('agent', 'list');
    expect([refused.code, refused.stderr]).toEqual([78, expect.stringContaining('AGOV_STATE_PASSWORD')]);
    expect(refused.stderr).not.toContain('hunter2');
  });
});

it('gives in the guide the very commands that the tests’ user has', () => {
  const guide = textOf('docs/guide/shared-state.md');
  expect(guide).toContain(stateCommands);
});
