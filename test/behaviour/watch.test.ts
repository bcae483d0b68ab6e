import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';

let project: TestProject;
beforeEach(async () => {
  project = await testProject({ builder: 'T1' });
});
afterEach(() => project[Symbol.dispose]());

const file = (stages: string): string => {
  writeFileSync(join(project.root, 'p.yaml'), `apiVersion: agov/v1\nkind: Pipeline\nname: release\nstages:\n${stages}`);
  return 'p.yaml';
};
const linesOf = (stdout: string) => stdout.split('\n').filter(Boolean);

describeWith('bwrap', 'agov pipeline watch', () => {
  it('follows a run that another process drives, and ends with its exit code', async () => {
    const until = join(project.root, 'go');
    const name = file(`  wait: { agent: builder, run: "until test -e ${until}; do sleep 0.05; done" }
  fail: { agent: builder, needs: [wait], run: exit 7 }
`);
    const driven = project.start(['pipeline', 'run', name, '--json']);
    // The run is there once its stage has begun.
    for (let begun = false; !begun; ) {
      begun = (await project.agov('pipeline', 'watch', '--once', '--json')).stdout.includes('"open"');
    }
    const now = await project.agov('pipeline', 'watch', '--once');
    expect([now.code, now.stdout]).toEqual([0, expect.stringMatching(/^release running .*\n.* 0\/2\n {2}1 ▸ wait/)]);
    const watched = project.start(['pipeline', 'watch', '--json']);
    await watched.printed('"wait"');
    writeFileSync(until, '');
    const [{ code, stdout }, run] = [await watched.done, await driven.done];
    expect([code, run.code]).toEqual([1, 1]);
    const told = linesOf(stdout).map((line) => JSON.parse(line));
    expect(told.map(({ unit, status }) => [unit, status])).toEqual([
      [undefined, 'running'],
      ['wait', 'open'],
      ['wait', 'ok'],
      ['fail', 'open'],
      ['fail', 'failed'],
      [undefined, 'failed'],
    ]);
  });

  it('says what a run waits for, and tells of one that has ended', async () => {
    const name = file('  ask: { agent: builder, run: [echo], gate: approval }\n');
    expect((await project.agov('pipeline', 'watch')).stderr).toContain('There is no run yet');
    const { run } = JSON.parse((await project.agov('pipeline', 'run', name, '--json')).stdout);
    const waiting = await project.agov('pipeline', 'watch', '--once');
    expect(waiting.code).toBe(75);
    const [, id = ''] = /agov approve (\S+)/.exec(waiting.stdout) ?? [];
    expect(waiting.stdout).toContain(`agov pipeline resume ${run}`);
    await must(project.agov('approve', id));
    expect((await project.agov('pipeline', 'watch', run, '--once')).stdout).toContain('answered');
    await must(project.agov('pipeline', 'resume', run));
    const over = await must(project.agov('pipeline', 'watch', run));
    expect(linesOf(over.stdout).map((line) => line.split('  ').slice(1, 3))).toEqual([
      ['run', 'running'],
      ['ask', 'started'],
      ['ask', 'asks'],
      ['run', 'waiting'],
      ['run', 'running'],
      ['ask', 'ok'],
      ['run', 'ok'],
    ]);
    expect((await project.agov('pipeline', 'watch', 'no-such-run')).code).toBe(66);
  });
});
