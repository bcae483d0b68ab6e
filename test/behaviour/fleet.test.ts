/** Two hosts on one state server, each with a ledger and keys of its own: what is done on one holds on the other. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';
import { type RedisServer, redisPassword, redisServer } from '../support/redis-server.ts';

describeWith('bwrap redis-server', 'two hosts that share a state server', () => {
  let server: RedisServer;
  let a: TestProject;
  let b: TestProject;
  beforeAll(async () => {
    server = await redisServer(['--requirepass', redisPassword]);
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    [a, b] = await Promise.all([testProject(), testProject()]);
    for (const { environment } of [a, b]) {
      environment['AGOV_STATE_URL'] = `redis://127.0.0.1:${server.port}`;
      environment['AGOV_STATE_PASSWORD'] = redisPassword;
    }
    await must(a.agov('agent', 'add', 'builder', '--tier', 'T1'));
    mkdirSync(join(b.root, '.agov'), { recursive: true, mode: 0o700 });
    copyFileSync(join(a.root, '.agov', 'instance'), join(b.root, '.agov', 'instance'));
  });
  afterEach(() => {
    a[Symbol.dispose]();
    b[Symbol.dispose]();
  });

  const reason = ['--reason', 'it lied'] as const;
  const flush = () => server.admin(redisPassword).flushall();
  const acts = async (on: TestProject, agent = 'builder') => on.agov('run', '--agent', agent, '--', 'true');
  const listed = async (on: TestProject, agent = 'builder') =>
    JSON.parse((await must(on.agov('agent', 'list', '--json'))).stdout).find(
      ({ name }: { name: string }) => name === agent,
    );
  const waiting = async (on: TestProject) => {
    const started = on.start(['run', '--agent', 'builder', '--', 'sh', '-c', 'echo ready; sleep 60']);
    await started.printed('ready');
    return started;
  };

  it('harms nobody by looking, and lets nobody act where it was not added', async () => {
    const started = await waiting(a);
    expect(await listed(b)).toMatchObject({ tier: 'T1', status: 'active', elsewhere: true });
    expect((await must(b.agov('agent', 'list'))).stdout).toContain('another host’s ledger');
    expect([(await acts(b)).code === 0, (await acts(a)).code]).toEqual([false, 0]);
    expect(await listed(a)).toMatchObject({ status: 'active', elsewhere: false });
    await must(b.agov('state', 'rebuild'));
    expect((await acts(a)).code).toBe(0);
    expect(started.child.exitCode).toBeNull();

    await must(b.agov('agent', 'add', 'builder', '--tier', 'T0'));
    expect((await acts(b)).code).toBe(0);
    await must(a.agov('kill', 'builder', ...reason));
    expect((await started.done).code).toBe(137);
    expect((await acts(b)).stderr).toContain('it lied');
    await flush();
    expect((await acts(b)).stderr, 'what it was told is on record').toContain('it lied');
  });

  it.each([
    ['by name', ['builder']],
    ['by tier', ['--tier', 'T1']],
    ['all', ['--all']],
  ])('kills %s what only another host’s ledger knows, for good', async (_by, target) => {
    const started = await waiting(a);
    await must(b.agov('kill', ...target, ...reason));
    const ended = await started.done;
    expect([ended.code, ended.stderr]).toEqual([137, expect.stringContaining('agent "builder" was revoked')]);
    const [step] = (await b.entries()).filter(({ kind }) => kind === 'agent');
    expect(step).toMatchObject({ tier: 'T1', body: { step: 'revoked', told: true, reason: 'it lied' } });

    // The governor that killed it has put it on record: A needs neither B nor the server to keep it dead.
    await flush();
    expect((await acts(a)).stderr).toContain('it lied');
    for (const host of [a, b]) {
      await must(host.agov('state', 'rebuild'));
      expect((await acts(a)).stderr).toContain('it lied');
      expect((await acts(b)).code).not.toBe(0);
    }
    expect(await listed(a)).toMatchObject({ status: 'revoked' });
    expect((await b.agov('agent', 'add', 'builder')).code).toBe(73);
    await must(a.agov('ledger', 'verify'));
  });

  it('keeps dead what was killed while its own host did nothing, whoever rebuilds', async () => {
    await must(b.agov('kill', 'builder', ...reason));
    await must(a.agov('state', 'rebuild'));
    const told = (await a.entries()).filter(({ kind, body }) => kind === 'agent' && body['told'] === true);
    expect(told).toMatchObject([{ agent: 'builder', body: { step: 'revoked', reason: 'it lied' } }]);
    await flush();
    expect((await acts(a)).stderr).toContain('it lied');
    expect((await a.entries()).filter(({ body }) => body['told'] === true)).toHaveLength(1);
  });

  it('brings a revocation back from the ledger that ordered it', async () => {
    await must(b.agov('kill', 'builder', ...reason));
    await flush();
    await must(b.agov('agent', 'list'));
    expect((await acts(a)).stderr).toContain('it lied');
  });

  it('kills a run of another host, and starts nothing of it again after a loss', async () => {
    const started = await waiting(a);
    const run = (await a.entries()).findLast(({ kind }) => kind === 'intent')?.run ?? '';
    await must(b.agov('kill', '--run', run, ...reason));
    expect((await started.done).stderr).toContain(`run ${run} was stopped: it lied`);
    await flush();
    const kept = (await a.entries()).filter(({ kind, body }) => kind === 'kill' && body['told'] === true);
    expect(kept).toMatchObject([{ run, body: { reason: 'it lied' } }]);
    expect((await acts(a)).code).toBe(0);
    const unknown = await b.agov('kill', '--run', 'nowhere', ...reason);
    expect([unknown.code, unknown.stderr]).toEqual([66, expect.stringContaining('nothing of it runs anywhere')]);
  });

  it('freezes from anywhere; either host thaws what the other froze of its own', async () => {
    await must(b.agov('freeze', 'builder', ...reason));
    expect((await acts(a)).stderr).toContain('is frozen: it lied');
    expect((await a.agov('agent', 'promote', 'builder', '--to', 'T2', ...reason)).code).not.toBe(0);
    await must(a.agov('thaw', 'builder', '--reason', 'it did not'));
    await must(b.agov('agent', 'list'));
    expect((await acts(a)).code).toBe(0);

    await must(b.agov('freeze', 'builder', ...reason));
    await flush();
    await must(b.agov('agent', 'list'));
    expect((await acts(a)).stderr).toContain('is frozen');
    await must(b.agov('thaw', 'builder', '--reason', 'it did not'));
    expect([(await acts(a)).code, (await acts(b)).code === 0]).toEqual([0, false]);
  });

  it('thaws nothing that is frozen in another ledger, and says where to do it', async () => {
    await must(a.agov('freeze', 'builder', ...reason));
    const refused = await b.agov('thaw', 'builder', ...reason);
    expect([refused.code, refused.stderr]).toEqual([73, expect.stringContaining('Thaw it there')]);
    expect((await b.agov('agent', 'add', 'builder')).code).toBe(73);
    expect(await listed(a)).toMatchObject({ status: 'frozen' });
    await must(a.agov('thaw', 'builder', ...reason));
    expect((await acts(a)).code).toBe(0);
  });
});
