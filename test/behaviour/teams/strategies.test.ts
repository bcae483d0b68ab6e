/** Teams of functions, in real sandboxes: three levels, a vote, a contest, one after another, and a team as a stage. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { must } from '../../support/cli.ts';
import { describeWith } from '../../support/needs.ts';
import { type TeamProject, teamProject } from '../../support/team-project.ts';

let project: TeamProject;
beforeEach(async () => {
  project = await teamProject({ chief: 'T2' });
  project.define('chief', 'T2', 'return "nothing";');
});
afterEach(() => project[Symbol.dispose]());

const run = async (team: string) => {
  const done = await project.agov('team', 'run', team, '--task', 'Do it.', '--json');
  return { code: done.code, ...JSON.parse(done.stdout) };
};

describeWith('bwrap', 'a team', () => {
  it('of three levels works through its foreman, who has no more than its own', async () => {
    project.define(
      'chief',
      'T2',
      `
      const foreman = await agent.call('spawn', { role: 'foreman', task: 'have it done' });
      const other = await tried(agent.call('spawn', { definition: 'worker', task: 'by the back door' }));
      const early = await tried(agent.call('spawn', { role: 'nobody', task: 'x' }));
      const { output } = await ended(agent, foreman.child);
      return { output, other, early, board: (await agent.board.get('plan', { space: 'team' })).item?.value };`,
    );
    project.define(
      'foreman',
      'T1',
      `
      const asking = { role: 'worker', task: 'dig', budget: { actions: 6 } };
      const both = await Promise.all([agent.call('spawn', asking), agent.call('spawn', asking)]);
      const [worker, second] = both[0].verdict === 'allow' ? both : both.reverse();
      const said = { more: why(second) };
      said.raised = await tried(agent.call('spawn', { role: 'foreman', task: 'be me' }));
      said.own = await tried(agent.call('spawn', { definition: 'worker', task: 'undeclared' }));
      await agent.board.set('plan', 'dig', { space: 'team' });
      const dug = await ended(agent, worker.child);
      return { ...said, dug: dug.output, inbox: (await agent.call('message.inbox', {})).messages.map(({ from, text }) => [from, text]) };`,
    );
    project.define(
      'worker',
      'T1',
      `
      const { agent: name, left } = await agent.whoami();
      const said = { name, left, chief: await tried(agent.call('message.send', { to: 'chief', text: 'over your head' })) };
      said.lead = await tried(agent.call('message.send', { to: 'lead', text: 'dug' }));
      said.below = await tried(agent.call('spawn', { role: 'worker', task: 'for me' }));
      for (let i = 0; i < 10; i++) said.spent = await tried(agent.board.get('x'));
      return said;`,
    );
    project.team(
      'dig',
      `lead: chief
strategy: lead-and-workers
budget: { actions: 60 }
members:
  foreman: { agent: foreman, share: 60 }
  worker: { agent: worker, reportsTo: foreman, share: 20 }
`,
    );
    const { code, output, run: id } = await run('dig');
    expect(code).toBe(0);
    expect(output).toMatchObject({
      other: expect.stringContaining('NOT_FOUND'),
      early: expect.stringContaining('has no role "nobody"'),
      board: 'dig',
    });
    expect(output.output).toMatchObject({
      more: expect.stringContaining('There are 1 of the role'),
      raised: expect.stringContaining('does not report to'),
      inbox: [['chief.foreman-1.worker-1', 'dug']],
      dug: { name: 'chief.foreman-1.worker-1', left: { actions: expect.any(Number) }, lead: 'allow' },
    });
    expect(output.output.dug.left.actions).toBeLessThan(6);
    expect(output.output.dug.chief).toMatch(/^deny: .*neither reports to the other/);
    expect(output.output.dug.below).toMatch(/^deny: .*does not report to/);
    expect(output.output.dug.spent).toMatch(/^deny: .*budget/i);
    const shown = JSON.parse((await must(project.agov('team', 'show', id, '--json'))).stdout);
    expect(
      shown.agents.map((one: { name: string; parent?: string; state: string }) => [one.name, one.parent, one.state]),
    ).toEqual([
      ['chief', undefined, 'leads'],
      ['chief.foreman-1', 'chief', 'ok'],
      ['chief.foreman-1.worker-1', 'chief.foreman-1', 'ok'],
    ]);
    expect(shown.messages).toMatchObject([{ from: 'chief.foreman-1.worker-1', to: 'chief.foreman-1', text: 'dug' }]);
    // The foreman is at T1, which starts nobody: what its team declares is started in the chief's name, under it.
    const starts = (await project.entries()).filter(
      ({ kind, body }) => kind === 'intent' && body['action'] === 'agent.spawn',
    );
    expect(
      starts.map(({ agent, body }) => [agent, body['resource'], (body['decision'] as { verdict: string }).verdict]),
    ).toEqual([
      ['chief', 'chief.foreman', 'allow'],
      ['chief', 'chief.foreman-1.worker', 'allow'],
      ['chief.foreman-1', 'chief.foreman-1.worker', 'deny'],
      ['chief.foreman-1', 'chief.foreman-1.foreman', 'deny'],
      ['chief.foreman-1.worker-1', 'chief.foreman-1.worker-1.worker', 'deny'],
    ]);
  });

  it('that votes needs a quorum, and all whose veto counts', async () => {
    const ballot = (verdict: string) => `return { verdict: '${verdict}', reason: 'since ${verdict}' };`;
    project.define('yea', 'T0', ballot('yes'));
    project.define('nay', 'T0', ballot('no'));
    project.define('mute', 'T0', 'return "yes";');
    project.team(
      'judge',
      'lead: chief\nstrategy: vote\nmembers:\n  a: { agent: yea, count: 2 }\n  b: { agent: mute }\n',
    );
    expect(await run('judge')).toMatchObject({
      code: 0,
      end: 'finished',
      output: { passed: true, yes: 2, needed: 2, votes: [{}, {}, { verdict: 'none' }] },
    });
    project.team(
      'judge',
      'lead: chief\nstrategy: vote\nvote: { veto: [b] }\nmembers:\n  a: { agent: yea, count: 2 }\n  b: { agent: nay }\n',
    );
    expect(await run('judge')).toMatchObject({
      code: 1,
      end: 'rejected',
      reason: expect.stringContaining('has a veto'),
    });
  });

  it('hands on what one did to the next, as a stage of a pipeline', async () => {
    project.define('first', 'T0', 'return { n: given.input.start + 1 };');
    project.define('second', 'T0', 'return { n: given.input.previous.n * 2, task: given.task };');
    project.team(
      'sum',
      'lead: chief\nstrategy: pipeline\nmembers:\n  a: { agent: first }\n  b: { agent: second, task: Twice. }\n',
    );
    const file = join(project.root, 'p.yaml');
    const text = (agent: string) => `apiVersion: agov/v1
kind: Pipeline
name: p
stages:
  sum: { agent: ${agent}, team: sum, task: Add., with: { start: 4 }, outputs: { n: result.output.n, task: result.output.task } }
  tell: { agent: chief, needs: [sum], run: [echo, "n is \${{ stages.sum.outputs.n }}"], artifacts: { said: stdout } }
`;
    writeFileSync(file, text('other'));
    expect((await project.agov('pipeline', 'validate', 'p.yaml')).stdout).toContain('is led by "chief"');
    writeFileSync(file, text('chief'));
    await must(project.agov('pipeline', 'run', 'p.yaml', '--skip-preflight', 'a test'));
    const ended = (await project.entries()).filter(({ kind, body }) => kind === 'stage' && body['step'] === 'ended');
    expect(ended[0]).toMatchObject({
      body: { stage: 'sum', status: 'ok', outputs: { n: 10, task: 'Add.\n\nTwice.' } },
    });
  });

  it('that contests keeps the winner’s branch, and nothing of the others', async () => {
    project.define(
      'try',
      'T1',
      `
      const { agent: name } = await agent.whoami();
      await agent.act('fs.write', { path: 'answer.txt', content: name });
      return { name };`,
    );
    project.define(
      'judge',
      'T0',
      `
      const [, second] = given.input.candidates;
      return { winner: second.name, reasons: 'The second.' };`,
    );
    project.team(
      'race',
      'lead: chief\nstrategy: contest\ncontest: { judge: judge, parallel: 1 }\nmembers:\n  try: { agent: try, count: 2 }\n  judge: { agent: judge }\n',
    );
    const { code, output, reason } = await run('race');
    expect([code, reason]).toEqual([0, undefined]);
    expect(output).toMatchObject({ winner: 'chief.try-2', branch: 'agov/chief.try-2/try', reasons: 'The second.' });
    expect(output.left).toBeUndefined();
    expect(project.git('branch', '--list', 'agov/*', '--format=%(refname:short)')).toBe('agov/chief.try-2/try');
    expect(project.git('show', 'agov/chief.try-2/try:answer.txt')).toBe('chief.try-2');
    expect(existsSync(join(project.root, '.worktrees/chief.try-1-try'))).toBe(false);
    expect(readFileSync(join(project.root, '.worktrees/chief.try-2-try/answer.txt'), 'utf8')).toBe('chief.try-2');
    project.define('judge', 'T0', `return { winner: 'chief', reasons: 'Me.' };`);
    expect(await run('race')).toMatchObject({
      code: 1,
      end: 'unjudged',
      reason: expect.stringContaining('none of the candidates'),
    });
    expect(project.git('branch', '--list', 'agov/*', '--format=%(refname:short)')).toBe('agov/chief.try-2/try');
  });
});
