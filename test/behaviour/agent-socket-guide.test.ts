/** The guide to the agent socket is tried as it stands. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { textOf } from '../support/files.ts';
import { itWith } from '../support/needs.ts';

const blocks = (language: string): readonly string[] =>
  [...textOf('docs/guide/agent-socket.md').matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, block = '']) => block,
  );

let project: TestProject;
beforeAll(async () => {
  project = await testProject({ builder: 'T1', guide: 'T1', counter: 'T0' });
  mkdirSync(join(project.root, 'agents'));
});
afterAll(() => project[Symbol.dispose]());

function define(name: string, tier: string, code: string): void {
  const head = `apiVersion: agov/v1\nkind: Agent\nname: ${name}\ntier: ${tier}\n`;
  writeFileSync(join(project.root, 'agents', `${name}.yaml`), `${head}runs: { function: ./${name}.ts }\n`);
  writeFileSync(join(project.root, 'agents', `${name}.ts`), code);
}

itWith('bwrap', 'shows lines for shells that work', async () => {
  const lines = blocks('sh').filter((block) => !block.includes('agov act wait') && !block.includes('agov agent run'));
  expect(lines).toHaveLength(2);
  const done = await must(project.agov('run', '--agent', 'builder', '--', 'sh', '-ec', lines.join('\n')));
  expect(done.stdout).toMatch(/^builder \(T1\), run/);
  expect(done.stdout).toMatch(/^alone, with token \d+$/m);
  expect(done.stdout).toContain('\n"passed"\n');
  expect(done.stdout).toContain('"agent":"builder"');
});

itWith('bwrap', 'shows a program that works', async () => {
  const [program = ''] = blocks('ts');
  writeFileSync(join(project.root, 'agents', 'program.ts'), program);
  define('guide', 'T1', `import './program.ts';\nexport default () => 'done';\n`);
  const done = await must(project.agov('agent', 'run', 'guide', '--task', 'try it'));
  expect(done.stdout).toContain('0 checked\nwith the lock: true\n');
  expect(done.stdout).not.toContain('refused');
});

itWith('bwrap', 'shows a function that works', async () => {
  const [, code = ''] = blocks('ts');
  define('counter', 'T0', code);
  const line = blocks('sh').find((block) => block.startsWith('agov agent run')) ?? '';
  expect(line.trim()).toBe('agov agent run counter --task "count the files"');
  const done = await must(project.agov('agent', 'run', 'counter', '--task', 'count the files', '--json'));
  expect(JSON.parse(done.stdout)).toMatchObject({ output: { task: 'count the files', files: expect.any(Number) } });
});
