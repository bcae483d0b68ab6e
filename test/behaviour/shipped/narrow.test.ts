/** What function agents were given besides: none of it leads further than the agent itself may go. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../../support/cli.ts';
import { describeWith } from '../../support/needs.ts';

let project: TestProject;
beforeAll(async () => {
  project = await testProject({ fn: 'T1', boss: 'T2' });
  mkdirSync(join(project.root, 'agents'));
});
afterAll(() => project[Symbol.dispose]());

async function run(agent: string, tier: string, body: string, more = '') {
  const head = `apiVersion: agov/v1\nkind: Agent\nname: ${agent}\ntier: ${tier}\nruns: { function: ./${agent}.ts }\n`;
  writeFileSync(join(project.root, 'agents', `${agent}.yaml`), head + more);
  const wrapped = `const tried = async (of) => { try { return await of(); } catch (error) { return error.code; } };
    export default async (agent) => { ${body} };`;
  writeFileSync(join(project.root, 'agents', `${agent}.ts`), wrapped);
  return project.agov('agent', 'run', agent, '--task', 'try', '--json');
}
const outputOf = ({ stdout }: { readonly stdout: string }) => JSON.parse(stdout).output;

describeWith('bwrap', 'a function agent', () => {
  it('cannot make another’s question its own', async () => {
    project.git('branch', 'agov/boss/x');
    const asked = await project.agov(
      'git',
      'merge',
      '--agent',
      'boss',
      '--branch',
      'agov/boss/x',
      '--into',
      'main',
      '--json',
    );
    const { approval, intent } = JSON.parse(asked.stderr);
    const waits = JSON.stringify({ verdict: 'ask', intent, approval: { id: approval } });
    const done = await run('fn', 'T1', `throw Object.assign(new Error('please'), { waits: ${waits} });`);
    expect(done.code).toBe(1);
    expect(JSON.parse(done.stdout).reason).toContain('no question of its own');
  });

  it('acts within its working folders alone, wherever their names lead', async () => {
    mkdirSync(join(project.root, '.worktrees/real'), { recursive: true });
    symlinkSync('../.git', join(project.root, '.worktrees/git'));
    symlinkSync('../agents', join(project.root, '.worktrees/agents'));
    const places = [
      '.worktrees/git',
      '.worktrees/agents',
      '.worktrees/..',
      '.git',
      '.worktrees/real/..',
      '/',
      '.worktrees/none',
    ];
    const tries = `
      const write = (within) => tried(() => agent.act('fs.write', { path: 'hook', content: 'x' }, { within }));
      const results = {};
      for (const place of ${JSON.stringify([...places, '.worktrees/real'])}) {
        const { verdict, status } = (await write(place)) ?? {};
        results[place] = [verdict, status].join(' ') === 'allow ok';
      }
      const out = await agent.act('fs.write', { path: '../../agov.yaml', content: 'x' }, { within: '.worktrees/real' });
      return { results, out: out.verdict };`;
    const { results, out } = outputOf(await must(run('fn', 'T1', tries)));
    expect(Object.entries(results).filter(([, done]) => done)).toEqual([['.worktrees/real', true]]);
    expect(out).toBe('deny');
  });

  it('has a model to ask only where its definition names one', async () => {
    const tries = `return { model: await tried(() => agent.ask({ prompt: 'x', schema: { type: 'object' } })) };`;
    expect(outputOf(await must(run('fn', 'T1', tries)))).toEqual({ model: 'NOT_FOUND' });
    const checked = await run('fn', 'T1', tries, 'model: nobody\n');
    expect(checked.stderr).toContain('There is no model');
  });

  it('spends no more than its definition allows', async () => {
    const tries = `
      const verdicts = [];
      for (let i = 0; i < 4; i++) verdicts.push((await agent.exec(['true'])).verdict);
      return { verdicts };`;
    const { verdicts } = outputOf(await must(run('fn', 'T1', tries, 'budget: { actions: 3 }\n')));
    expect(verdicts).toEqual(['allow', 'allow', 'deny', 'deny']);
  });

  it('keeps so many texts, under names that lead nowhere', async () => {
    const tries = `
      const names = await Promise.all(['../x', 'a/b', '.hidden'].map((name) => tried(() => agent.keep(name, 'x'))));
      const many = [];
      for (let i = 0; i < 17; i++) many.push(await tried(() => agent.keep('n' + i, 'x')));
      return { names, last: many.at(-1) };`;
    const { names, last } = outputOf(await must(run('fn', 'T1', tries)));
    expect([names, last]).toEqual([['INPUT_INVALID', 'INPUT_INVALID', 'INPUT_INVALID'], 'CONFLICT']);
  });
});
