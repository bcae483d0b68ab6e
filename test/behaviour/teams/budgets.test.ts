/** What a team inside a team may spend: its own budget holds for all who work in it, whoever starts them. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { must } from '../../support/cli.ts';
import { describeWith } from '../../support/needs.ts';
import { type TeamProject, teamProject } from '../../support/team-project.ts';

let project: TeamProject;
beforeEach(async () => {
  project = await teamProject({ chief: 'T2' });
});
afterEach(() => project[Symbol.dispose]());

const insist = `
  const said = [];
  for (let i = 0; i < 8; i++) said.push(await tried(agent.board.get('x')));
  return said;`;

describeWith('bwrap', 'a team in a team', () => {
  it.each([
    ['that its lead starts', 'lead-and-workers'],
    ['that its strategy starts', 'pipeline'],
  ])('spends no more than its own budget by a member %s', async (_how, strategy) => {
    project.define(
      'chief',
      'T2',
      `return (await ended(agent, (await agent.call('spawn', { role: 'sub', task: 'x' })).child)).output;`,
    );
    project.define(
      'foreman',
      'T1',
      `return (await ended(agent, (await agent.call('spawn', { role: 'worker', task: 'dig' })).child)).output;`,
    );
    project.define('worker', 'T1', insist);
    const members = 'members:\n  worker: { agent: worker }\n';
    project.team('inner', `lead: foreman\nstrategy: ${strategy}\nbudget: { actions: 6 }\n${members}`);
    project.team('outer', 'lead: chief\nstrategy: lead-and-workers\nmembers:\n  sub: { team: inner }\n');
    const done = await must(project.agov('team', 'run', 'outer', '--task', 'go', '--json'));
    const said: readonly string[] = JSON.parse(done.stdout).output;
    expect(said[0]).toBe('allow');
    expect(said.at(-1)).toContain('The budget "team inner"');
  });
});
