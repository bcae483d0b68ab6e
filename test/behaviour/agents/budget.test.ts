/** The budget that an agent's own definition sets holds whatever kind it is of, and wherever it runs. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../../support/cli.ts';
import { describeWith } from '../../support/needs.ts';

let project: TestProject;
beforeEach(async () => {
  project = await testProject({ doer: 'T1' });
  mkdirSync(join(project.root, 'agents'));
});
afterEach(() => project[Symbol.dispose]());

describeWith('bwrap', 'an agent whose definition has a budget', () => {
  it('that is a command spends no more over its socket', async () => {
    const loop = 'for i in 1 2 3 4; do agov act fs.write --arg path=x$i --arg content=x; done; ls x*';
    writeFileSync(
      join(project.root, 'agents', 'doer.yaml'),
      `apiVersion: agov/v1\nkind: Agent\nname: doer\ntier: T1\nbudget: { actions: 3 }
runs: { process: { command: [sh, -c, "${loop}"] } }\n`,
    );
    const done = await must(project.agov('agent', 'run', 'doer', '--task', 'go', '--json'));
    // Its own command is the first of the three.
    expect(JSON.parse(done.stdout).text.trim().split('\n').slice(-2)).toEqual(['x1', 'x2']);
  });

  it('spends no more where it ends a run that may overdraw', async () => {
    const loop = 'for i in 1 2 3 4; do agov act fs.write --arg path=x$i --arg content=x; done; ls x*';
    writeFileSync(
      join(project.root, 'agents', 'doer.yaml'),
      `apiVersion: agov/v1\nkind: Agent\nname: doer\ntier: T1\nbudget: { actions: 3 }
runs: { process: { command: [sh, -c, "${loop}"] } }\n`,
    );
    const head = 'apiVersion: agov/v1\nkind: Pipeline\nname: p\nbudget: { actions: 1 }\n';
    writeFileSync(
      join(project.root, 'p.yaml'),
      `${head}stages:\n  a: { agent: doer, run: "true" }\nfinally:\n  z: { agent: doer, task: go }\n`,
    );
    await must(project.agov('pipeline', 'run', 'p.yaml', '--json'));
    expect(readdirSync(project.root).filter((name) => name.startsWith('x'))).toEqual(['x1', 'x2']);
  });
});
