/** Definitions as people write them: a commented one that works, all faults at once, and what lies where agents may write. */
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { must, testProject } from '../../support/cli.ts';
import { modelProject } from '../../support/model-project.ts';

it.each(['llm', 'process', 'function'])(
  'writes a definition of kind %s that checks, and writes over none',
  async (kind) => {
    await using project = await modelProject({ agents: { helper: 'T1' }, answers: [{}] });
    await must(project.agov('agent', 'define', 'helper', '--kind', kind));
    const checked = await project.agov('agent', 'check', 'agents/helper.yaml', '--json');
    expect(JSON.parse(checked.stdout)).toMatchObject({ ok: true, files: [{ notes: [] }] });
    expect((await project.agov('agent', 'define', 'helper')).code).toBe(73);
  },
);

it('runs a command by its definition', async () => {
  using project = await testProject({ clerk: 'T0' });
  await must(project.agov('agent', 'define', 'clerk', '--kind', 'process'));
  const done = await project.agov('agent', 'run', 'clerk', '--task', 'count to three');
  expect([done.code, done.stdout]).toEqual([0, 'asked to: count to three\n']);
});

it('tells every fault of a definition, with its place', async () => {
  await using project = await modelProject({ agents: { reviewer: 'T0' }, answers: [{}] });
  writeFileSync(
    join(project.root, 'agents/reviewer.yaml'),
    `apiVersion: agov/v1
kind: Agent
name: reviewr
tier: T0
runs:
  llm:
    model: mian
    instructions: ./../../secret.md
    tools: [fs.raed, exec, gti]
    output: { type: string }
`,
  );
  const done = await project.agov('agent', 'check');
  expect(done.code).toBe(1);
  const faults = done.stdout.split('\n').filter((line) => line.startsWith('agents/'));
  expect(faults).toEqual([
    'agents/reviewer.yaml:3:7 The agent "reviewr" is defined in reviewr.yaml, and this is reviewer.yaml.',
    'agents/reviewer.yaml:7:12 There is no model "mian" under "models" in agov.yaml. Did you mean "main"?',
    'agents/reviewer.yaml:9:13 There is no tool "fs.raed". Did you mean "fs.read"?',
    'agents/reviewer.yaml:9:28 There is no tool "gti". Did you mean "git"?',
    'agents/reviewer.yaml:10:5 The answer must be an object: write "type: object", and what it holds under "properties".',
    expect.stringMatching(/^agents\/reviewer\.yaml:8:19 There is no .*secret\.md\.$/),
  ]);
});

it.each([
  ['two kinds', 'runs: { process: { command: [ls] }, function: ./a.ts }', 'needs exactly one of'],
  ['a tier above what an agent may be', 'runs: { process: { command: [ls] } }\n#', 'T3'],
  ['another program than is judged', 'runs: { process: { command: [ls], env: { LD_PRELOAD: ./x.so } } }', 'LD_*'],
  ['what agov tells', 'runs: { process: { command: [ls], env: { AGOV_AGENT: admin } } }', 'AGOV_*'],
  ['an unknown key', 'runs: { process: { command: [ls] } }\nagent: admin', 'not known here'],
])('refuses %s', async (name, runs, message) => {
  using project = await testProject({ helper: 'T0' });
  mkdirSync(join(project.root, 'agents'));
  const tier = name.startsWith('a tier') ? 'T3' : 'T0';
  const head = `apiVersion: agov/v1\nkind: Agent\nname: helper\ntier: ${tier}\n`;
  writeFileSync(join(project.root, 'agents/helper.yaml'), `${head}${runs}\n`);
  const done = await project.agov('agent', 'check');
  expect(done.code).toBe(1);
  expect(done.stdout).toContain(message);
  expect((await project.agov('agent', 'run', 'helper', '--task', 'x')).stderr).toContain('agents/helper.yaml');
});

it('takes nothing from where an agent may write', async () => {
  using project = await testProject({ helper: 'T1' });
  const text = 'apiVersion: agov/v1\nkind: Agent\nname: helper\ntier: T1\nruns: { process: { command: [ls] } }\n';
  mkdirSync(join(project.root, 'agents'));
  writeFileSync(join(project.root, 'elsewhere.yaml'), text);
  symlinkSync('../elsewhere.yaml', join(project.root, 'agents/helper.yaml'));
  const linked = await project.agov('agent', 'run', 'helper', '--task', 'x');
  expect(linked.stderr).toContain('lies outside agents/');
  rmSync(join(project.root, 'agents'), { recursive: true });
  // Before the folder is there, no agent can make it.
  const write = ['fs', 'write', '--agent', 'helper', '--path', 'agents/helper.yaml', '--content', text];
  expect((await project.agov(...write)).code).toBe(77);
  const script = 'mkdir -p agents && echo x > agents/helper.yaml';
  await project.agov('run', '--agent', 'helper', '--', 'sh', '-c', script);
  expect(existsSync(join(project.root, 'agents/helper.yaml'))).toBe(false);
});

it('finds a large file, a pipe’s worth of nothing, and bytes that are no text', async () => {
  using project = await testProject({ helper: 'T0' });
  mkdirSync(join(project.root, 'agents'));
  const file = join(project.root, 'agents/helper.yaml');
  for (const [content, why] of [
    [Buffer.alloc(2_000_000, 'x'), 'is over 1048576 bytes'],
    [Buffer.from([0xff, 0xfe, 0x00]), 'is not UTF-8 text'],
  ] as const) {
    writeFileSync(file, content);
    expect((await project.agov('agent', 'check')).stdout).toContain(why);
  }
  expect(readFileSync(file)).toHaveLength(3);
});
