/** Pipelines done by workers: real processes on one folder, a real server, and a hard end for each of them in turn. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { must, type Started, type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';
import { type RedisServer, redisServer } from '../support/redis-server.ts';

describeWith('bwrap redis-server', 'workers', () => {
  let server: RedisServer;
  let project: TestProject;
  const running = new Set<Started>();
  beforeAll(async () => {
    server = await redisServer(['--appendonly', 'yes', '--appendfsync', 'always']);
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    project = await testProject({ builder: 'T1' });
    project.environment['AGOV_STATE_URL'] = `redis://127.0.0.1:${server.port}`;
    project.environment['AGOV_STATE_GRACE'] = '3s';
    project.environment['AGOV_ENGINE'] = 'bullmq';
    mkdirSync(join(project.root, 'pipelines'), { recursive: true });
  });
  afterEach(async () => {
    for (const { child, done } of running) {
      child.kill('SIGKILL');
      await done;
    }
    running.clear();
    project[Symbol.dispose]();
  });

  const start = (...argv: string[]): Started => {
    const started = project.start(argv);
    running.add(started);
    return started;
  };
  const worker = async (name: string, ...more: string[]): Promise<Started> => {
    const started = start('worker', '--name', name, '--json', ...more);
    await started.printed('"ready"');
    return started;
  };
  const file = (text: string): string => {
    writeFileSync(join(project.root, 'pipelines/p.yaml'), `apiVersion: agov/v1\nkind: Pipeline\nname: p\n${text}`);
    return 'pipelines/p.yaml';
  };
  const stages = async () => (await project.entries()).filter(({ kind }) => kind === 'stage').map(({ body }) => body);
  const there = (name: string) =>
    expect.poll(() => existsSync(join(project.root, name)), { timeout: 20_000 }).toBe(true);
  const lines = (name: string) => readFileSync(join(project.root, name), 'utf8').trim().split('\n');
  /** Once for each attempt a line, and then the first attempt hangs. */
  const hangsOnce =
    'stages: { slow: { agent: builder, run: "echo x >> began; [ $(wc -l < began) -gt 1 ] || sleep 300" } }';

  it('do thirty stages, each once, and the report says who did which', async () => {
    await Promise.all([worker('one', '--concurrency', '3'), worker('two', '--concurrency', '3')]);
    const all = Array.from({ length: 30 }, (_, i) => `  s${i}: { agent: builder, run: [sh, -c, "echo ${i} >> done"] }`);
    const run = await must(
      project.agov('pipeline', 'run', file(`parallel: 6\nstages:\n${all.join('\n')}\n`), '--json'),
    );
    const report = JSON.parse(run.stdout);
    expect(report).toMatchObject({ status: 'ok', verified: { ok: true } });
    expect(lines('done').sort()).toEqual(all.map((_, i) => String(i)).sort());
    const names = report.stages.map(({ worker: by }: { worker: { name: string } }) => by.name);
    expect([...new Set(names)].sort()).toEqual(['one', 'two']);
    expect((await must(project.agov('pipeline', 'show', report.run))).stdout).toContain('ON');
    // A worker counts a job as running until the queue has it as done, which is after its result is read.
    await expect
      .poll(async () => JSON.parse((await must(project.agov('worker', 'list', '--json'))).stdout), { timeout: 20_000 })
      .toMatchObject([
        { name: 'one', running: 0, order: 'go', concurrency: 3 },
        { name: 'two', running: 0, order: 'go' },
      ]);
  });

  it('killed in the middle of a stage are followed by others, and the outcome is said to be unknown', async () => {
    const first = await worker('one');
    const run = start('pipeline', 'run', file(hangsOnce));
    await there('began');
    await worker('two');
    first.child.kill('SIGKILL');
    expect(await run.done).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('Worker one began it and has fallen silent'),
    });
    expect(lines('began')).toHaveLength(2);
    expect(await stages()).toMatchObject([
      { step: 'started', attempt: 1 },
      { step: 'started', attempt: 2 },
      { step: 'ended', attempt: 2, status: 'ok', worker: { name: 'two' } },
    ]);
    expect((await project.entries()).filter(({ body }) => body['step'] === 'lost')).toHaveLength(1);
  });

  it('go on while the driver is dead, and it takes the result when it is back', async () => {
    await worker('one');
    const run = start('pipeline', 'run', file('stages: { slow: { agent: builder, run: "echo x >> began; sleep 3" } }'));
    await there('began');
    run.child.kill('SIGKILL');
    await run.done;
    const id = (await project.entries()).find(({ kind }) => kind === 'run')?.id ?? '';
    const resumed = await must(project.agov('pipeline', 'resume', id, '--json'));
    expect(JSON.parse(resumed.stdout)).toMatchObject({ status: 'ok', stages: [{ attempt: 1, status: 'ok' }] });
    expect(lines('began'), 'it was not done again').toHaveLength(1);
  });

  it('outlive a restart of the server, as does what waits there', async () => {
    await worker('one', '--concurrency', '1');
    const two =
      'stages: { a: { agent: builder, run: "sleep 1; echo a >> done; sleep 2" }, b: { agent: builder, run: "echo b >> done" } }';
    const run = start('pipeline', 'run', file(two), '--json');
    await there('done');
    await server.kill();
    await server.start();
    const { code, stdout } = await run.done;
    expect([code, JSON.parse(stdout).reason, JSON.parse(stdout).status]).toEqual([0, undefined, 'ok']);
    expect(lines('done').sort()).toEqual(['a', 'b']);
  });

  it('kill what they run when the run is cancelled from anywhere', async () => {
    await worker('one');
    const run = start(
      'pipeline',
      'run',
      file('stages: { slow: { agent: builder, run: "echo $$ > began; sleep 300" } }'),
    );
    await there('began');
    const id = (await project.entries()).find(({ kind }) => kind === 'run')?.id ?? '';
    await must(project.agov('pipeline', 'cancel', id));
    expect((await run.done).code).toBe(130);
    expect((await stages()).at(-1)).toMatchObject({ status: 'failed', reason: expect.stringContaining('Killed') });
  });

  it('are paused, resumed and drained by order, and the one who waits is told', async () => {
    appendFileSync(join(project.root, 'agov.yaml'), '\ncheckpoint: { auto: [drain] }\n');
    const one = await worker('one');
    await must(project.agov('worker', 'pause', '--all'));
    await one.printed('"pause"');
    const run = start('pipeline', 'run', file('stages: { s: { agent: builder, run: "echo x >> began; sleep 2" } }'));
    await expect.poll(() => run.told(), { timeout: 20_000 }).toContain('All are held back: agov worker resume one');
    expect(existsSync(join(project.root, 'began'))).toBe(false);
    await must(project.agov('worker', 'resume', 'one'));
    await there('began');
    await must(project.agov('worker', 'drain', 'one'));
    expect((await one.done).code, 'it ended what it had begun').toBe(0);
    const { checkpoints } = JSON.parse((await must(project.agov('checkpoint', 'timeline', '--json'))).stdout);
    expect(checkpoints).toMatchObject([{ cause: 'drain' }]);
    expect((await run.done).code).toBe(0);
    expect(JSON.parse((await must(project.agov('worker', 'list', '--json'))).stdout)).toEqual([]);
    expect((await project.agov('doctor')).stdout).toMatch(/warn +workers .*start one, agov worker/);
  });

  it('end what runs at SIGTERM, and kill it at the second, for others to do', async () => {
    const one = await worker('one');
    const run = start('pipeline', 'run', file(hangsOnce));
    await there('began');
    one.child.kill('SIGTERM');
    await one.printed('"draining"');
    one.child.kill('SIGTERM');
    expect((await one.done).code).toBe(0);
    await worker('two');
    expect((await run.done).code).toBe(0);
    expect(lines('began')).toHaveLength(2);
  });

  it('say what is missing: a server, a worker’s name, another of that name', async () => {
    await worker('one');
    const twin = await project.agov('worker', '--name', 'one');
    expect([twin.code, twin.stderr]).toEqual([73, expect.stringContaining('--name NAME')]);
    expect((await project.agov('worker', 'pause', 'onne')).stderr).toContain('Did you mean "one"?');
    expect((await project.agov('worker', 'pause')).code).toBe(64);
    expect((await project.agov('worker', '--concurrency', '0')).code).toBe(64);
    delete project.environment['AGOV_STATE_URL'];
    const without = await project.agov('pipeline', 'run', file('stages: { s: { agent: builder, run: "true" } }'));
    expect([without.code, without.stderr]).toEqual([78, expect.stringContaining('state.url')]);
    expect((await project.entries()).some(({ kind }) => kind === 'run')).toBe(false);
  });
});
