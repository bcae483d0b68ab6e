import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../support/cli.ts';

let project: TestProject;
beforeAll(async () => {
  project = await testProject();
  writeFileSync(join(project.root, 'script'), (await must(project.agov('completion', 'bash'))).stdout);
});
afterAll(() => project[Symbol.dispose]());

it.each([
  [['agov', 'led'], 'ledger'],
  [['agov', 'ledger', 'v'], 'verify'],
  [['agov', 'run', '--agent', 'builder', '--w'], '--workspace'],
  [['agov', '-C', '/elsewhere', 'age'], 'agent'],
  [['checkpoint', 'ti'], 'timeline'],
  [['/usr/bin/status', 'update', '--ph'], '--phase'],
  [['agov', 'run', '--', '--w'], ''],
])('completes %j in bash', (words, expected) => {
  const script = 'source ./script; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _agov; printf "%s" "$COMPREPLY"';
  const done = spawnSync('bash', ['-c', script, 'bash', ...words], { cwd: project.root, encoding: 'utf8' });
  expect(done).toMatchObject({ stdout: expected, stderr: '' });
});
