/** Killing as an operator meets it: on one machine, against agents that do what they can to live on. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedState } from '../../src/adapters/state/embedded/index.ts';
import { systemEnv } from '../../src/kernel/index.ts';
import type { Entry } from '../../src/schemas/index.ts';
import { lockOwner } from '../../src/work/agents/index.ts';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';
import { marker, processesWith } from '../support/processes.ts';

const killAtCommit = fileURLToPath(new URL('../support/kill-at-commit.mjs', import.meta.url));
let project: TestProject;
let mark: string;
let names = 0;
let agent: string;
beforeAll(async () => {
  project = await testProject();
});
afterAll(() => project[Symbol.dispose]());
beforeEach(async () => {
  mark = marker();
  agent = `agent-${++names}`;
  await must(project.agov('agent', 'add', agent, '--tier', 'T1'));
});
afterEach(() => expect(alive()).toEqual([]));

/** Of what agents run: governors have the same text in their own arguments. */
const alive = () => processesWith(mark).filter((found) => !found.arguments.includes('main.js'));
const reason = ['--reason', 'it lied'] as const;
/** A command of the agent's that shows the mark in the list of processes. */
const runs = (script: string, env: NodeJS.ProcessEnv = {}) =>
  project.start(['run', '--agent', agent, '--', 'sh', '-c', `: ${mark}; ${script}`], { env });
const json = async (...argv: string[]) => JSON.parse((await must(project.agov(...argv, '--json'))).stdout);
const kills = async (): Promise<readonly Entry[]> =>
  (await project.entries()).filter((entry) => entry.kind === 'kill' && entry.agent === agent);

describeWith('bwrap', 'agov kill', () => {
  it('puts the order on record first, then each step with its time, and the agent is dead', async () => {
    const started = runs(`echo ready; (setsid sleep ${mark} &) ; sleep ${mark}`);
    await started.printed('ready');
    const report = await json('kill', agent, ...reason);
    expect(report.steps.map(({ step, ok }: { step: string; ok: boolean }) => [step, ok])).toEqual(
      ['record', 'mark', 'announce', 'identity', 'leases', 'locks', 'processes'].map((step) => [step, true]),
    );
    expect(report.steps.at(-1)).toMatchObject({ detail: '1 stopped', ms: expect.any(Number) });
    expect(await started.done).toMatchObject({ code: 137, stderr: expect.stringContaining('was revoked') });
    const [ordered, done] = await kills();
    const revoked = (await project.entries()).find(
      (e) => e.kind === 'agent' && e.body['step'] === 'revoked' && e.agent === agent,
    );
    expect([ordered?.body['step'], done?.body['step'], done?.parent]).toEqual(['ordered', 'done', ordered?.id]);
    expect((revoked?.seq ?? Infinity) < (done?.seq ?? 0)).toBe(true);
    expect((await project.agov('run', '--agent', agent, '--', 'true')).stderr).toContain('it lied');
  });

  it('may be told twice, and says that it was so before', async () => {
    await must(project.agov('kill', agent, ...reason));
    const again = await must(project.agov('agent', 'revoke', agent, '--reason', 'again'));
    expect(again.stdout).toMatch(/Killed agent .*was revoked before/s);
    expect((await kills()).map(({ body }) => body['step'])).toEqual(['ordered', 'done', 'ordered', 'done']);
  });

  it.each(['bubblewrap', 'none'])(
    'leaves nothing of those that do what they can to live on, in sandbox %s',
    async (kind) => {
      const clever = [
        `trap '' TERM INT HUP QUIT USR1; echo ready; while :; do sleep ${mark} & wait; done`,
        `(setsid sh -c '(setsid sleep ${mark} &)' &); sleep 0.1; echo ready; sleep ${mark}`,
        `sleep ${mark} & echo ready; kill -STOP $$; sleep ${mark}`,
        `echo ready; f() { while :; do sleep ${mark} & sleep 0.005; done; }; f & f & wait`,
        `echo ready; exec env -i sleep ${mark}`,
      ];
      const started = clever.map((script) => runs(script, { AGOV_SANDBOX: kind }));
      await Promise.all(started.map((one) => one.printed('ready')));
      expect(alive().length).toBeGreaterThanOrEqual(5);
      const processes = (await json('kill', agent, ...reason)).steps.at(-1);
      const honest = kind === 'none' ? '; without a sandbox, one that hid may live' : '';
      expect(processes).toMatchObject({ ok: true, detail: `5 stopped${honest}` });
      expect(alive()).toEqual([]);
      for (const one of started) expect((await one.done).code).toBe(137);
    },
  );

  it('kills under a governor that is stopped and cannot help', async () => {
    const started = runs(`echo ready; sleep ${mark}`);
    await started.printed('ready');
    started.child.kill('SIGSTOP');
    const report = await json('kill', agent, ...reason);
    expect(report.steps.at(-1)).toMatchObject({ step: 'processes', ok: true });
    expect(alive()).toEqual([]);
    started.child.kill('SIGCONT');
    expect((await started.done).code).toBe(137);
  });

  it('leaves no run of those that start while it kills', async () => {
    const started = Array.from({ length: 4 }, () => runs(`echo ready; sleep ${mark}`));
    await Promise.any(started.map((one) => one.printed('ready')));
    const [first, second] = await Promise.all([
      project.agov('kill', agent, ...reason),
      project.agov('kill', agent, ...reason),
    ]);
    expect([first.code, second.code]).toEqual([0, 0]);
    for (const one of started) expect((await one.done).code).not.toBe(0);
    expect((await json('agent', 'list')).find((a: { name: string }) => a.name === agent).status).toBe('revoked');
  });

  it.each([1, 3])('is finished by the next start when it was cut off after commit %i', async (commit) => {
    const started = runs(`echo ready; sleep ${mark}`);
    await started.printed('ready');
    const interrupted = project.start(['kill', agent, ...reason], {
      env: { KILL_AT: `${commit}:after` },
      nodeOptions: ['--import', killAtCommit],
    });
    expect((await interrupted.done).signal).toBe('SIGKILL');
    expect((await kills()).map(({ body }) => body['step'])).toEqual(['ordered']);
    await must(project.agov('agent', 'add', `${agent}-other`, '--tier', 'T0'));
    await must(project.agov('run', '--agent', `${agent}-other`, '--', 'true'));
    expect((await started.done).code).toBe(137);
    expect((await kills()).map(({ body }) => body['step'])).toEqual(['ordered', 'done']);
    expect((await must(project.agov('kill', '--retry'))).stdout).toContain('Nothing is left');
  });

  it('kills one tier and leaves the others', async () => {
    await must(project.agov('agent', 'add', `${agent}-t2`, '--tier', 'T2'));
    const [low, high] = [agent, `${agent}-t2`].map((name) =>
      project.start(['run', '--agent', name, '--', 'sh', '-c', `echo ready; sleep ${mark}`]),
    );
    await Promise.all([low?.printed('ready'), high?.printed('ready')]);
    const reports = await json('kill', '--tier', 'T1', ...reason);
    expect(reports.map((one: { agent: string }) => one.agent)).toContain(agent);
    expect((await low?.done)?.code).toBe(137);
    expect(high?.child.exitCode).toBeNull();
    expect((await must(project.agov('kill', '--tier', 'T1', ...reason))).stdout).toContain('nobody to kill');
    await must(project.agov('kill', '--all', ...reason));
    expect((await high?.done)?.code).toBe(137);
  });

  it('frees the locks of the killed, and a later holder has the greater token', async () => {
    const path = join(project.root, '.agov', 'state.db');
    await using state = await openEmbeddedState({ path, env: systemEnv() });
    const mine = await state.locks.acquire('deploy', lockOwner({ agent, run: 'r1' }), 60_000);
    await state.locks.acquire('other', lockOwner({ agent: `${agent}x`, run: agent }), 60_000);
    await state.locks.acquire('free', 'somebody', 60_000);
    const report = await json('kill', agent, ...reason);
    expect(report.steps[5]).toMatchObject({ step: 'locks', ok: true, detail: '1 released: deploy' });
    expect((await state.locks.held()).map(({ name }) => name)).toEqual(['free', 'other']);
    const next = await state.locks.acquire('deploy', 'next', 1000);
    expect(next?.token).toBeGreaterThan(mine?.token ?? Infinity);
    for (const { name, token } of await state.locks.held()) await state.locks.release(name, token);
  });
});

describeWith('bwrap', 'agov freeze and agov thaw', () => {
  it('stops what runs and lets nothing start until thawed', async () => {
    const started = runs(`echo ready; sleep ${mark}`);
    await started.printed('ready');
    const frozen = await must(project.agov('freeze', agent, '--reason', 'looking into it'));
    expect(frozen.stdout).toMatch(/Froze agent .*1 stopped/s);
    expect(await started.done).toMatchObject({ code: 137, stderr: expect.stringContaining('was frozen') });
    const denied = await project.agov('run', '--agent', agent, '--', 'true');
    expect([denied.code, denied.stderr]).toEqual([77, expect.stringContaining('is frozen: looking into it')]);
    expect((await must(project.agov('freeze', agent, ...reason))).stdout).toContain('was frozen before');
    expect((await must(project.agov('thaw', agent, '--reason', 'it was not'))).stdout).toContain('marked active');
    await must(project.agov('run', '--agent', agent, '--', 'true'));
    expect((await must(project.agov('thaw', agent, ...reason))).stdout).toContain('was active before');
  });

  it('freezes a tier, and thaws it', async () => {
    const frozen = await json('freeze', '--tier', 'T1', ...reason);
    expect(frozen.map((one: { agent: string }) => one.agent)).toContain(agent);
    expect((await must(project.agov('freeze', '--tier', 'T1', ...reason))).stdout).toContain('nobody to freeze');
    await must(project.agov('thaw', '--tier', 'T1', ...reason));
    await must(project.agov('run', '--agent', agent, '--', 'true'));
  });

  it('thaws of many only whom an order over as many froze, and says who stays frozen and why', async () => {
    await must(project.agov('freeze', agent, '--reason', 'its invitation was opened'));
    const other = `${agent}-b`;
    await must(project.agov('agent', 'add', other, '--tier', 'T1'));
    await must(project.agov('freeze', '--all', '--reason', 'a bad night'));
    const tier = await must(project.agov('thaw', '--tier', 'T1', ...reason));
    expect(tier.stdout).toMatch(new RegExp(`nobody to thaw.*${other}.*a bad night`, 's'));
    const all = await must(project.agov('thaw', '--all', ...reason));
    expect(all.stdout).toMatch(
      new RegExp(`Thawed .*${other} .*Left frozen.*${agent} .*its invitation was opened`, 's'),
    );
    expect((await project.agov('run', '--agent', agent, '--', 'true')).code).toBe(77);
    await must(project.agov('run', '--agent', other, '--', 'true'));
    expect(await json('thaw', '--all', ...reason)).toMatchObject({ thawed: [], left: [{ name: agent }] });
    await must(project.agov('thaw', agent, ...reason));
    await must(project.agov('run', '--agent', agent, '--', 'true'));
  });

  it('brings nobody back who was killed, and kills the frozen', async () => {
    await must(project.agov('freeze', agent, ...reason));
    await must(project.agov('kill', agent, ...reason));
    for (const verb of ['thaw', 'freeze']) {
      const refused = await project.agov(verb, agent, ...reason);
      expect([refused.code, refused.stderr]).toEqual([
        73,
        expect.stringContaining(`Agent "${agent}" is revoked: it lied`),
      ]);
    }
    await must(project.agov('thaw', '--all', ...reason));
    expect((await project.agov('run', '--agent', agent, '--', 'true')).code).toBe(77);
  });
});

describeWith('bwrap', 'agov kill --run', () => {
  const pipeline = (): string => {
    const stages = [
      `first: { agent: ${agent}, run: "touch first; sleep ${mark}" }`,
      `refused: { agent: ${agent}, needs: [first], uses: fs.write, with: { path: agov.yaml, content: x }, expect: denied }`,
      `last: { agent: ${agent}, needs: [refused], run: "touch last" }`,
    ];
    writeFileSync(
      join(project.root, 'p.yaml'),
      `apiVersion: agov/v1\nkind: Pipeline\nname: test\nstages:\n  ${stages.join('\n  ')}\n`,
    );
    return 'p.yaml';
  };
  const runOf = async (): Promise<string> => {
    const entry = (await project.entries()).findLast((one) => one.kind === 'intent' && one.agent === agent);
    return entry?.run ?? '';
  };

  it('ends the run and not the agent, and nothing of the run goes on or is taken up again', async () => {
    const driver = project.start(['pipeline', 'run', pipeline()]);
    await expect.poll(() => alive().length, { timeout: 10_000 }).toBeGreaterThan(0);
    const run = await runOf();
    const report = await json('kill', '--run', run, '--reason', 'wrong branch');
    expect(report).toMatchObject({ run, deed: 'kill' });
    expect(report.steps.map(({ step }: { step: string }) => step)).toEqual([
      'record',
      'mark',
      'announce',
      'leases',
      'locks',
      'processes',
    ]);
    expect((await driver.done).code).toBe(130);
    const after = (await project.entries()).filter((one) => one.run === run && one.kind === 'stage');
    expect(after.map(({ body }) => `${body['stage']} ${body['step']}`)).toEqual(['first started', 'first ended']);
    const resumed = await project.agov('pipeline', 'resume', run);
    expect([resumed.code, resumed.stderr]).toEqual([73, expect.stringContaining('Killed by ada: wrong branch')]);
    await must(project.agov('run', '--agent', agent, '--', 'true'));
    // The mark is the ledger's: a state that was lost has it again.
    await must(project.agov('state', 'rebuild'));
    await using state = await openEmbeddedState({ path: join(project.root, '.agov', 'state.db'), env: systemEnv() });
    expect(await state.registry.stoppedRuns()).toContainEqual({ run, reason: 'wrong branch' });
  });

  it('ends a run that waits for an operator', async () => {
    writeFileSync(
      join(project.root, 'w.yaml'),
      `apiVersion: agov/v1\nkind: Pipeline\nname: test\nstages:\n  only: { agent: ${agent}, run: "touch never", gate: approval }\n`,
    );
    const waiting = await project.agov('pipeline', 'run', 'w.yaml', '--json');
    const { run } = JSON.parse(waiting.stdout);
    await must(project.agov('kill', '--run', run, ...reason));
    expect((await json('approvals')).filter((one: { agent: string }) => one.agent === agent)).toEqual([]);
    expect((await project.agov('pipeline', 'resume', run)).code).toBe(73);
    expect((await json('pipeline', 'list')).find((one: { run: string }) => one.run === run)).toMatchObject({
      status: 'cancelled',
      reason: 'Killed by ada: it lied',
    });
  });
});

describe('agov kill refuses', () => {
  it.each([
    [['kill', ...reason], 64, 'Nobody to kill is named'],
    [['kill', 'a', '--all', ...reason], 64, 'More than one target'],
    [['freeze', '--tier', 'T1', '--all', ...reason], 64, 'More than one target'],
    [['kill', 'a'], 64, 'needs a reason'],
    [['thaw', '--all'], 64, 'needs a reason'],
    [['kill', 'nobody', ...reason], 66, 'There is no agent "nobody"'],
    [['kill', '--run', 'none', ...reason], 66, 'There is no run none'],
    [['kill', '--tier', 'T9', ...reason], 65, '"T9" is not a tier'],
    [['kill', 'a', '--retry'], 64, 'A retry takes no target'],
    [['freeze', '--run', 'x', ...reason], 64, 'unknown option'],
    [['kill', '--all', '--as', 'mallory', ...reason], 66, 'no operator "mallory"'],
  ])('%j', async (argv, code, text) => {
    const refused = await project.agov(...argv);
    expect([refused.code, refused.stderr]).toEqual([code, expect.stringContaining(text)]);
  });
});
