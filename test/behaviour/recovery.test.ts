/** Sessions that are killed in the middle of real work, and what a fresh one is told. */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openTokenizer } from '../../src/context/tokens/index.ts';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { itWith } from '../support/needs.ts';
import { someOf } from '../support/sizes.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

let project: TestProject;
beforeEach(async () => {
  project = await testProject({ builder: 'T1' });
});
afterEach(() => project[Symbol.dispose]());

const questions: readonly (readonly [question: string, answer: RegExp])[] = [
  ['Which task am I at?', /src\/net: in-progress.*Make the client wait between tries/],
  ['How far is it?', /1 of 2 tasks done/],
  ['What is the next step?', /1\. Make the backoff exponential in src\/net\/retry\.ts/],
  ['And after that?', /2\. Run the tests of the client again/],
  ['Which file did I change?', /src\/net\/retry\.ts modified \+2 -1/],
  ['Which files are new?', /src\/net\/backoff\.ts untracked/],
  ['What did I begin after the checkpoint?', /src\/net\/jitter\.ts untracked/],
  ['What changed in the code?', /\+ {2}return wait\(tries \* 100\);/],
  ['What failed last?', /builder: sh -c .*jitter\.test: timeout of 30s exceeded/],
  ['What failed before?', /expected 200 but got 503/],
  ['What did I know?', /The linear backoff is in; the server still answers 503/],
  ['On which branch?', /On branch main, at [0-9a-f]{10} "Client"/],
  ['What did we decide?', /why exponential/],
];

itWith('bwrap', 'tells a fresh session what a killed one was at, within 1500 tokens', async () => {
  mkdirSync(join(project.root, 'src/net'), { recursive: true });
  writeFileSync(join(project.root, 'src/net/retry.ts'), 'export function retry() {\n}\n');
  project.git('add', '--all');
  project.git('commit', '--quiet', '--message', 'Client');
  const script = path('../support/lost-session.sh');
  const session = spawn('sh', [script, process.execPath, path('../../dist/main.js')], {
    ...{ cwd: project.root, env: project.environment, detached: true },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    session.stdout.on('data', (chunk: Buffer) => chunk.includes('READY') && resolve());
    session.once('close', (code) => reject(new Error(`The session ended by itself: ${code}`)));
  });
  process.kill(-(session.pid ?? 0), 'SIGKILL');
  const fresh = project.start(['checkpoint', 'load', '--budget', '1500', '--json']);
  const { code, stdout, stderr } = await fresh.done;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const brief = JSON.parse(stdout);
  const { count } = await openTokenizer('o200k_base');
  expect(count(brief.text)).toBeLessThanOrEqual(1500);
  const unanswered = questions.filter(([, answer]) => !answer.test(brief.text)).map(([question]) => question);
  expect(unanswered, brief.text).toEqual([]);
  // With little room the first of them still are.
  const little = await must(project.agov('checkpoint', 'load', '--budget', '300'));
  for (const [question, answer] of questions.slice(0, 5)) expect(little.stdout, question).toMatch(answer);
});

it('leaves the last good one where it is killed at any write of the next', async () => {
  const preload = ['--import', path('../support/kill-at-checkpoint.mjs')];
  const take = (notes: string, env: NodeJS.ProcessEnv = {}) =>
    project.start(['checkpoint', 'now', '--notes', notes], { nodeOptions: preload, env }).done;
  const latest = async () => JSON.parse((await must(project.agov('checkpoint', 'show', '--json'))).stdout);
  writeFileSync(join(project.root, 'a.txt'), 'one\n');
  const { stderr } = await take('good');
  const writes = Number(/writes (\d+)/.exec(stderr)?.[1]);
  expect(writes).toBeGreaterThanOrEqual(8);
  const deaths = someOf(
    Array.from({ length: writes }, (_, i) => i + 1),
    4,
  );
  for (const n of deaths) {
    writeFileSync(join(project.root, 'a.txt'), `${n}\n`);
    expect(await take(`lost ${n}`, { KILL_AT: `${n}:half` })).toMatchObject({ signal: 'SIGKILL' });
    const { parts, damage } = await latest();
    expect({ n, notes: parts.notes.value.notes, damage }).toEqual({ n, notes: 'good', damage: [] });
  }
  const left = readdirSync(join(project.root, '.agov/checkpoints'));
  expect(left.filter((name) => /^\d.*\.jsonl$/.test(name))).toHaveLength(1);
  expect(await take('after')).toMatchObject({ code: 0 });
  expect((await latest()).parts.notes.value.notes).toBe('after');
  expect((await must(project.agov('checkpoint', 'show', '--diff'))).stdout).toContain(`+${deaths.at(-1)}`);
  await must(project.agov('ledger', 'verify'));
});
