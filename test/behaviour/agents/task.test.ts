/** Stages that are tasks: agents run by their definitions inside a pipeline, wait for approvals in the middle, and go on. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Entry } from '../../../src/schemas/index.ts';
import { must } from '../../support/cli.ts';
import { type ModelProject, modelProject } from '../../support/model-project.ts';

const call = (name: string, args: unknown) => ({ calls: [{ name, args }] });

function pipeline(project: ModelProject, stages: string): string {
  mkdirSync(join(project.root, 'pipelines'), { recursive: true });
  const file = join(project.root, 'pipelines/p.yaml');
  writeFileSync(file, `apiVersion: agov/v1\nkind: Pipeline\nname: p\nstages:\n${stages}`);
  return file;
}

function define(project: ModelProject, name: string, text: string): void {
  writeFileSync(
    join(project.root, 'agents', `${name}.yaml`),
    `apiVersion: agov/v1\nkind: Agent\nname: ${name}\n${text}`,
  );
}

it('hands the answer of one agent to the next, and keeps definition and transcript with the stage', async () => {
  await using project = await modelProject({
    agents: { reviewer: 'T0', clerk: 'T0' },
    answers: [call('answer', { summary: 'All is well.', ok: true })],
    definition: { output: true },
  });
  define(project, 'clerk', `tier: T0\nruns:\n  process:\n    command: [sh, -c, 'echo "$AGOV_INPUT"']\n`);
  const file = pipeline(
    project,
    `  judge:
    agent: reviewer
    task: Judge what you are given.
    with: { number: 7 }
    outputs: { ok: { type: bool, value: result.output.ok }, summary: result.output.summary }
  note:
    agent: clerk
    needs: [judge]
    when: stages.judge.outputs.ok
    task: Note it down.
    with: { note: "\${{ stages.judge.outputs.summary }}" }
    outputs: { noted: result.output.note }
`,
  );
  await must(project.agov('pipeline', 'validate', file));
  const planned = JSON.parse((await must(project.agov('pipeline', 'plan', file, '--json'))).stdout);
  expect(planned.units).toMatchObject([
    { unit: 'judge', does: 'task: Judge what you are given.', verdict: 'allow' },
    { unit: 'note', verdict: 'allow' },
  ]);
  const done = await project.agov('pipeline', 'run', file, '--json');
  expect(done.stderr).toBe('');
  expect(done.code).toBe(0);
  const { body } = project.server.asked[0] ?? {};
  expect(body.messages[1].content).toContain('Judge what you are given.');
  expect(body.messages[1].content).toMatch(/<data-[0-9a-f]{16} from="input">\n\{\n {2}"number": 7/);
  const ends = (await project.entries()).filter(({ kind, body: of }) => kind === 'stage' && of['step'] === 'ended');
  expect(ends.map(({ body: of }) => of['outputs'])).toEqual([
    { ok: true, summary: 'All is well.' },
    { noted: 'All is well.' },
  ]);
  expect(ends[0]?.artifacts?.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['definition', 'transcript.json', 'output']),
  );
  const definition = ends[1]?.artifacts?.find(({ name }) => name === 'definition');
  expect((await must(project.agov('artifact', definition?.sha256 ?? ''))).stdout).toBe(
    readFileSync(join(project.root, 'agents/clerk.yaml'), 'utf8'),
  );
});

it('waits in the middle of a conversation, and goes on from there when an operator has answered', async () => {
  const merge = call('git_merge', { branch: 'agov/worker/x', into: 'main' });
  await using project = await modelProject({
    agents: { worker: 'T2' },
    answers: [
      call('fs_read', { path: 'a.txt' }),
      merge,
      ({ body }) => ({ text: body.messages.at(-1).content.startsWith('Done.') ? 'It is in.' : 'It is not in.' }),
    ],
    definition: { name: 'worker', tier: 'T2', tools: ['fs', 'git'] },
  });
  writeFileSync(join(project.root, 'a.txt'), 'read once\n');
  const file = pipeline(project, '  ship: { agent: worker, task: Ship it., outputs: { said: result.stdout } }\n');
  project.git('add', '--all');
  project.git('commit', '--quiet', '--message', 'Prepare');
  project.git('checkout', '--quiet', '-b', 'agov/worker/x');
  project.git('commit', '--quiet', '--allow-empty', '--message', 'Change');
  project.git('checkout', '--quiet', 'main');

  const waits = await project.agov('pipeline', 'run', file, '--json');
  expect(waits.code).toBe(75);
  const { run } = JSON.parse(waits.stdout);
  expect(project.server.asked).toHaveLength(2);
  const [pending] = JSON.parse((await must(project.agov('approvals', '--json'))).stdout);
  expect(pending.intent).toMatchObject({ action: 'repo.merge', resource: 'main' });
  await must(project.agov('approve', pending.id));
  const done = await project.agov('pipeline', 'resume', run, '--json');
  expect(done.code).toBe(0);
  // It was not asked anew from the beginning: one more answer, and the file was read once.
  expect(project.server.asked).toHaveLength(3);
  const all = await project.entries();
  expect(all.filter(({ kind, body }) => kind === 'intent' && body['action'] === 'fs.read')).toHaveLength(1);
  const stages = all.filter(({ kind }) => kind === 'stage').map(({ body }) => [body['step'], body['attempt']]);
  expect(stages).toEqual([
    ['started', 1],
    ['ended', 1],
  ]);
  expect(all.find(endedStage)?.body['outputs']).toEqual({ said: 'It is in.' });
  expect(project.git('log', '--oneline', 'main')).toContain('Change');
});

it('waits outside of a pipeline too, and goes on by the id of its run', async () => {
  await using project = await modelProject({
    agents: { worker: 'T2' },
    answers: [
      call('git_merge', { branch: 'agov/worker/x', into: 'main' }),
      ({ body }) => ({ text: body.messages.at(-1).content.startsWith('Done.') ? 'It is in.' : 'It is not in.' }),
    ],
    definition: { name: 'worker', tier: 'T2', tools: ['git'] },
  });
  project.git('add', '--all');
  project.git('commit', '--quiet', '--message', 'Prepare');
  project.git('branch', 'agov/worker/x');
  const run = ['agent', 'run', 'worker', '--task', 'Merge it.', '--json'];
  const waits = await project.agov(...run);
  expect(waits.code).toBe(75);
  const told = JSON.parse(waits.stderr);
  expect(told).toMatchObject({ verdict: 'ask' });
  await must(project.agov('approve', told.approval));
  const [asked] = (await project.entries()).filter(({ kind, id }) => kind === 'intent' && id === told.intent);
  const done = await project.agov(...run, '--resume', asked?.run ?? '');
  expect(done.code).toBe(0);
  expect(JSON.parse(done.stdout)).toMatchObject({ end: 'finished', text: 'It is in.', facts: { steps: 2 } });
});

it('fails its stage by the name of its end, which retry can tell apart', async () => {
  await using project = await modelProject({
    agents: { reviewer: 'T0' },
    answers: [{ text: '' }, { text: '' }, { text: 'Now I have something to say.' }],
  });
  const retry = 'retry: { attempts: 2, backoff: 1ms, on: [EXIT_1] }';
  const file = pipeline(project, `  ask: { agent: reviewer, task: Speak., ${retry} }\n`);
  expect((await project.agov('pipeline', 'run', file)).code).toBe(0);
  expect(project.server.asked).toHaveLength(3);
});

it('keeps an agent inside the budget of its stage, and fails it with that code', async () => {
  await using project = await modelProject({
    agents: { reviewer: 'T0' },
    answers: Array.from({ length: 9 }, (_, i) => ({ ...call('fs_read', { path: `${i}.txt` }), usage: [900, 90] })),
  });
  const file = pipeline(project, '  ask: { agent: reviewer, task: Look., budget: { tokens: 6000 } }\n');
  expect((await project.agov('pipeline', 'run', file)).code).toBe(1);
  expect((await project.entries()).find(endedStage)?.body).toMatchObject({ status: 'failed', code: 'BUDGET_EXCEEDED' });
});

it('tells before a run what is missing for a task', async () => {
  await using project = await modelProject({ agents: { reviewer: 'T0', other: 'T0' }, answers: [{}] });
  const file = pipeline(project, '  ask: { agent: other, task: Look. }\n');
  const said = await project.agov('pipeline', 'validate', file);
  expect(said.code).toBe(1);
  expect(said.stdout).toContain('p.yaml:5:17 The agent "other" has no definition: there is no agents/other.yaml.');
});

function endedStage({ kind, body }: Entry): boolean {
  return kind === 'stage' && body['step'] === 'ended';
}
