/** State on a server: what one process decides reaches what another drives, and the server can lose everything. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openDragonflyState } from '../../src/adapters/state/dragonfly/index.ts';
import { Secret, systemEnv } from '../../src/kernel/index.ts';
import { announceHalt } from '../../src/work/agents/index.ts';
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
    const revoked = await must(project.agov('kill', 'builder', '--reason', 'it lied'));
    const ended = await started.done;
    expect(ended.stderr).toContain('revoked');
    expect(ended.stdout + ended.stderr + revoked.stdout + revoked.stderr).not.toContain(redisPassword);
    const kill = (await project.entries()).findLast((entry) => entry.kind === 'kill');
    expect(kill?.body).toMatchObject({ step: 'done' });
    expect(kill?.body['steps']).toContainEqual(expect.objectContaining({ step: 'processes', detail: '1 stopped' }));
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
    await announceHalt(elsewhere.events, { agents: ['builder'], runs: [], became: 'revoked' });
    expect((await started.done).stderr).toContain('agent "builder" was revoked');
    expect(await elsewhere.registry.liveRuns()).toEqual([]);
  });

  it('goes on when the server has forgotten everything, and can be killed as before', async () => {
    const started = run(...waiting);
    await started.printed('ready');
    const admin = server.admin(redisPassword);
    await admin.flushall();
    await expect.poll(() => admin.hlen(`{agov:${instance()}}:runs`), { timeout: 5000 }).toBe(1);
    await must(project.agov('state', 'rebuild'));
    await expect.poll(() => admin.hlen(`{agov:${instance()}}:runs`), { timeout: 5000 }).toBe(1);
    expect(started.child.exitCode).toBeNull();
    await must(project.agov('kill', 'builder', '--reason', 'it lied'));
    expect((await started.done).stderr).toContain('was revoked');
  });

  it('keeps the order to kill while the server is away, stops by the grace, and finishes when it is back', async () => {
    await must(project.agov('agent', 'add', 'reader', '--tier', 'T0'));
    await must(project.agov('agent', 'add', 'other', '--tier', 'T1'));
    const settings = { env: { AGOV_STATE_GRACE: '2s' } };
    const start = (name: string) => project.start(['run', '--agent', name, '--', ...waiting], settings);
    const [started, other, reading] = [start('builder'), start('other'), start('reader')];
    await Promise.all([started, other, reading].map((one) => one.printed('ready')));
    await server.kill();
    const killed = await project.agov('kill', 'builder', '--reason', 'it lied', '--json');
    expect(killed.code).toBe(1);
    const failed = JSON.parse(killed.stdout).steps.filter(({ ok }: { ok: boolean }) => !ok);
    expect(failed.map(({ step }: { step: string }) => step)).toEqual(['mark', 'announce', 'locks', 'processes']);
    expect((await project.agov('run', '--agent', 'reader', '--', 'true')).code).toBe(69);
    expect((await started.done).code).toBe(137);
    const stopped = await other.done;
    expect([stopped.code, stopped.stderr]).toEqual([137, expect.stringContaining('state.grace')]);
    expect(reading.child.exitCode).toBeNull();
    await server.start();
    const retried = await must(project.agov('kill', '--retry', '--json'));
    expect(JSON.parse(retried.stdout)).toMatchObject([{ agent: 'builder', deed: 'kill' }]);
    expect((await must(project.agov('kill', '--retry'))).stdout).toContain('Nothing is left');
    expect((await project.agov('run', '--agent', 'builder', '--', 'true')).stderr).toContain('it lied');
    await must(project.agov('kill', '--all', '--reason', 'the end'));
    expect((await reading.done).stderr).toContain('was revoked');
  });

  it('kills what was revoked while the server is away, at every tier and long before the grace', async () => {
    await must(project.agov('agent', 'add', 'reader', '--tier', 'T0'));
    const settings = { env: { AGOV_STATE_GRACE: '60s' } };
    const all = ['builder', 'reader'].map((name) =>
      project.start(['run', '--agent', name, '--', ...waiting], settings),
    );
    await Promise.all(all.map((one) => one.printed('ready')));
    await server.kill();
    const began = performance.now();
    const deaths = all.map(async ({ done }) => [(await done).code, performance.now() - began] as const);
    expect((await project.agov('kill', '--all', '--reason', 'it lied')).code).toBe(1);
    for (const [code, ms] of await Promise.all(deaths)) {
      expect(code).toBe(137);
      expect(ms).toBeLessThan(3000);
    }
    expect((await all[0]?.done)?.stderr).toContain('agent "builder" was revoked');
    await server.start();
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
