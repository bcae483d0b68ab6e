/** A coordinator and a worker on two hosts: a ledger and keys on each, one state server between them. */
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { must, type Started, type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';
import { type RedisServer, redisServer } from '../support/redis-server.ts';

describeWith('bwrap redis-server', 'a worker on another host', () => {
  let server: RedisServer;
  let office: TestProject;
  let builds: TestProject;
  let worker: Started | undefined;
  beforeAll(async () => {
    server = await redisServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    [office, builds] = await Promise.all([testProject(), testProject()]);
    for (const { environment } of [office, builds]) {
      environment['AGOV_STATE_URL'] = `redis://127.0.0.1:${server.port}`;
      environment['AGOV_ENGINE'] = 'bullmq';
      environment['AGOV_STATE_GRACE'] = '3s';
    }
    await must(office.agov('agent', 'add', 'builder', '--tier', 'T1'));
    mkdirSync(join(builds.root, '.agov'), { recursive: true, mode: 0o700 });
    copyFileSync(join(office.root, '.agov', 'instance'), join(builds.root, '.agov', 'instance'));
    await must(builds.agov('agent', 'add', 'builder', '--tier', 'T1'));
  });
  afterEach(async () => {
    worker?.child.kill('SIGKILL');
    await worker?.done;
    worker = undefined;
    await server.admin().flushall();
    office[Symbol.dispose]();
    builds[Symbol.dispose]();
  });

  const trust = async (who: TestProject, whom: TestProject): Promise<void> => {
    const line = (await must(whom.agov('ledger', 'key'))).stdout.trim().split('\n')[0];
    appendFileSync(join(who.root, 'agov.yaml'), `\nfleet: { trusted: [{ name: other, key: "${line}" }] }\n`);
  };
  const work = async (): Promise<void> => {
    worker = builds.start(['worker', '--name', 'builds', '--json']);
    await worker.printed('"ready"');
  };
  const file = (stages: string): string => {
    mkdirSync(join(office.root, 'pipelines'), { recursive: true });
    const text = `apiVersion: agov/v1\nkind: Pipeline\nname: p\nstages:\n${stages}\n`;
    writeFileSync(join(office.root, 'pipelines/p.yaml'), text);
    return 'pipelines/p.yaml';
  };

  it('brings back what stages put out and keep; each host has its own record of it', async () => {
    await Promise.all([trust(office, builds), trust(builds, office)]);
    await work();
    const stages = [
      '  make: { agent: builder, run: "echo made > out.txt; echo one", outputs: { said: result.stdout.trim() }, artifacts: { o: out.txt } }',
      '  use: { agent: builder, needs: [make], run: [sh, -c, "echo $0 >> used", "${{ stages.make.outputs.said }}"] }',
    ];
    const report = JSON.parse((await must(office.agov('pipeline', 'run', file(stages.join('\n')), '--json'))).stdout);
    const [kept] = report.stages[0].artifacts;
    expect((await must(office.agov('artifact', kept.sha256))).stdout).toBe('made\n');
    expect(readFileSync(join(builds.root, 'used'), 'utf8')).toBe('one\n');

    const [here, there] = [await office.entries(), await builds.entries()];
    expect(here.filter(({ kind }) => kind === 'intent')).toEqual([]);
    const begun = here.filter(({ kind, body }) => kind === 'stage' && body['step'] === 'started').map(({ id }) => id);
    expect(there.filter(({ kind }) => kind === 'intent').map(({ parent }) => parent)).toEqual(begun);
    expect(here.filter(({ body }) => body['step'] === 'ended' && body['worker'])).toHaveLength(2);
    expect(JSON.parse((await must(builds.agov('ledger', 'verify', '--json'))).stdout)).toMatchObject({ ok: true });
  });

  it('asks the operators of the coordinator, and has their word on its own record before it acts', async () => {
    await Promise.all([trust(office, builds), trust(builds, office)]);
    await work();
    const run = await office.agov(
      'pipeline',
      'run',
      file('  s: { agent: builder, run: "echo x >> done", gate: approval }'),
      '--json',
    );
    expect(run.code).toBe(75);
    const [asked] = JSON.parse((await must(office.agov('approvals', '--json'))).stdout);
    await must(office.agov('approve', asked.id));
    const id = JSON.parse(run.stdout).run;
    expect(JSON.parse((await must(office.agov('pipeline', 'resume', id, '--json'))).stdout)).toMatchObject({
      status: 'ok',
    });
    expect(readFileSync(join(builds.root, 'done'), 'utf8')).toBe('x\n');
    const granted = (await builds.entries()).find(({ body }) => body['step'] === 'granted');
    expect(granted?.body).toMatchObject({ operator: 'ada', via: expect.stringMatching(/^coordinator agov\.local\//) });
    expect(JSON.parse((await must(office.agov('approvals', '--json'))).stdout), 'used once').toEqual([]);
  });

  it('refuses work of a host that it does not trust, and the coordinator is told what to do', async () => {
    await trust(office, builds);
    await work();
    const run = await office.agov('pipeline', 'run', file('  s: { agent: builder, run: "echo x >> done" }'));
    expect([run.code, run.stdout]).toEqual([1, expect.stringContaining('fleet.trusted')]);
    expect((await builds.entries()).some(({ kind }) => kind === 'violation')).toBe(true);
    expect((await builds.entries()).some(({ kind }) => kind === 'intent')).toBe(false);
  });

  it('does nothing under rules of its own', async () => {
    await Promise.all([trust(office, builds), trust(builds, office)]);
    appendFileSync(join(builds.root, 'agov.yaml'), '\ntools: { T1: [sh] }\n');
    await work();
    const run = await office.agov('pipeline', 'run', file('  s: { agent: builder, run: "echo x >> done" }'));
    expect([run.code, run.stdout]).toEqual([1, expect.stringContaining('decides by other rules')]);
    expect((await builds.entries()).some(({ kind }) => kind === 'intent')).toBe(false);
  });
});
