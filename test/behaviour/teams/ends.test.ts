/** What is left of a team when its lead is killed or frozen, or the process that drives it dies. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Entry } from '../../../src/schemas/index.ts';
import { must, type Started } from '../../support/cli.ts';
import { describeWith } from '../../support/needs.ts';
import { lives } from '../../support/processes.ts';
import { type TeamProject, teamProject } from '../../support/team-project.ts';

let project: TeamProject;
beforeEach(async () => {
  project = await teamProject({ chief: 'T2' });
  project.define(
    'chief',
    'T2',
    `
    const { child } = await agent.call('spawn', { role: 'foreman', task: 'go' });
    return (await ended(agent, child)).end;`,
  );
  project.define(
    'foreman',
    'T1',
    `
    const { child } = await agent.call('spawn', { role: 'worker', task: 'go' });
    return (await ended(agent, child)).end;`,
  );
  project.define(
    'worker',
    'T1',
    `
    await agent.act('fs.write', { path: 'here.txt', content: 'here' });
    await new Promise((done) => setTimeout(done, 600_000));`,
  );
  project.team(
    'three',
    'lead: chief\nstrategy: lead-and-workers\nmembers:\n  foreman: { agent: foreman }\n  worker: { agent: worker, reportsTo: foreman }\n',
  );
});
afterEach(() => project[Symbol.dispose]());

const agents = ['chief', 'chief.foreman-1', 'chief.foreman-1.worker-1'];
const running = async (): Promise<string[]> =>
  JSON.parse((await must(project.agov('agent', 'list', '--json'))).stdout)
    .filter(({ status }: { status: string }) => status === 'active')
    .map(({ name }: { name: string }) => name);
const steps = (entries: readonly Entry[], name: string) =>
  entries.filter(({ kind, agent }) => kind === 'agent' && agent === name).map(({ body }) => body['step']);

/** Until the worker at the bottom acts. */
async function atWork(): Promise<{ started: Started; pids: readonly number[] }> {
  const started = project.start(['team', 'run', 'three', '--task', 'go', '--json']);
  for (;;) {
    const wrote = (await project.entries()).some(
      ({ kind, agent, body }) => kind === 'outcome' && agent === agents[2] && body['status'] === 'ok',
    );
    if (wrote) break;
    await new Promise((done) => setTimeout(done, 100));
  }
  const { openEmbeddedState } = await import('../../../src/adapters/state/embedded/index.ts');
  const { systemEnv } = await import('../../../src/kernel/index.ts');
  await using state = await openEmbeddedState({ path: join(project.root, '.agov/state.db'), env: systemEnv() });
  const live = await state.registry.liveRuns();
  expect(new Set(live.map(({ agent }) => agent))).toEqual(new Set(agents));
  return { started, pids: live.map(({ processGroup }) => processGroup) };
}
describeWith('bwrap', 'a tree of agents', () => {
  it('is dead when its lead is killed, and it is told how many were below', async () => {
    const { started, pids } = await atWork();
    const report = JSON.parse((await must(project.agov('kill', 'chief', '--reason', 'enough', '--json'))).stdout);
    expect(report).toMatchObject({ agent: 'chief', below: [{ agent: agents[1] }, { agent: agents[2] }] });
    expect(pids.filter(lives)).toEqual([]);
    expect((await started.done).code).not.toBe(0);
    const entries = await project.entries();
    expect(steps(entries, agents[2] ?? '')).toEqual(['spawned', 'revoked']);
  });

  it('stands still with a lead that is frozen in the middle', async () => {
    await must(project.agov('agent', 'list'));
    const { started, pids } = await atWork();
    const report = JSON.parse(
      (await must(project.agov('freeze', 'chief.foreman-1', '--reason', 'look', '--json'))).stdout,
    );
    expect(report.below).toMatchObject([{ agent: agents[2] }]);
    const done = await started.done;
    // The chief goes on, and is told.
    expect(JSON.parse(done.stdout)).toMatchObject({ output: 'stopped' });
    expect(pids.filter(lives)).toEqual([]);
  });

  it('ends as unknown with the process that drove it, and what a member had finished is not done again', async () => {
    mkdirSync(join(project.root, 'made'));
    project.define(
      'first',
      'T1',
      `await agent.act('fs.write', { path: 'made/' + (await agent.whoami()).agent, content: 'x' }); return { n: 1 };`,
    );
    project.define(
      'second',
      'T1',
      `
      const { verdict } = await agent.act('fs.write', { path: 'here.txt', content: 'here' });
      const again = await agent.exec(['test', '-e', 'go-on']);
      if (again.exitCode !== 0) await new Promise((done) => setTimeout(done, 600_000));
      return { n: given.input.previous.n + 1, verdict };`,
    );
    project.team('two', 'lead: chief\nstrategy: pipeline\nmembers:\n  a: { agent: first }\n  b: { agent: second }\n');
    const stage = '  sum: { agent: chief, team: two, task: Add., outputs: { n: result.output.n } }\n';
    writeFileSync(join(project.root, 'p.yaml'), `apiVersion: agov/v1\nkind: Pipeline\nname: p\nstages:\n${stage}`);
    const { child, done } = project.start(['pipeline', 'run', 'p.yaml', '--skip-preflight', 'a test', '--json']);
    for (;;) {
      if (
        (await project.entries()).some(
          ({ kind, agent, body }) => kind === 'outcome' && agent === 'chief.b-1' && body['status'] === 'ok',
        )
      )
        break;
      await new Promise((done) => setTimeout(done, 100));
    }
    child.kill('SIGKILL');
    await done;
    writeFileSync(join(project.root, 'go-on'), '');
    const run =
      (await project.entries()).find(({ kind, body }) => kind === 'run' && body['step'] === 'started')?.run ?? '';
    await must(project.agov('pipeline', 'resume', run, '--skip-preflight', 'a test'));
    const entries = await project.entries();
    expect(
      entries.filter(({ kind, body }) => kind === 'agent' && body['step'] === 'spawned').map(({ agent }) => agent),
    ).toEqual(['chief.a-1', 'chief.b-1', 'chief.b-2']);
    expect(steps(entries, 'chief.b-1')).toEqual(['spawned', 'retired']);
    const cut = entries.find(
      ({ kind, agent, body }) => kind === 'agent' && agent === 'chief.b-1' && body['step'] === 'spawned',
    );
    expect(entries.find(({ kind, parent }) => kind === 'outcome' && parent === cut?.parent)).toMatchObject({
      body: { status: 'unknown' },
    });
    expect(entries.find(({ kind, body }) => kind === 'stage' && body['step'] === 'ended')).toMatchObject({
      body: { status: 'ok', outputs: { n: 2 } },
    });
    expect(await running()).toEqual(['chief']);
  });
});
