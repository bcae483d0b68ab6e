/** What is told of a pipeline before anything starts. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';

let project: TestProject;
beforeEach(async () => {
  project = await testProject({ reader: 'T0', builder: 'T1', frozen: 'T1' });
});
afterEach(() => project[Symbol.dispose]());

const write = (stages: string): string => {
  const head = 'apiVersion: agov/v1\nkind: Pipeline\nname: test\nparameters:\n  ship: { type: bool, default: false }\n';
  writeFileSync(join(project.root, 'p.yaml'), `${head}${stages}`);
  return 'p.yaml';
};

describeWith('bwrap', 'agov pipeline plan', () => {
  it('tells every verdict that can be told, and starts nothing', async () => {
    const file = write(`stages:
  look: { agent: reader, run: [ls] }
  sneak: { agent: reader, needs: [look], uses: fs.write, with: { path: x, content: y }, expect: denied }
  build:
    agent: builder
    needs: [look]
    run: [make, "\${{ stages.look.status }}"]
    compensate: { run: [rm, -f, x] }
  ship: { agent: builder, needs: [build], when: params.ship, run: [ls], gate: approval }
  merge: { agent: builder, needs: [build], uses: git.merge, with: { branch: agov/builder/x, into: main } }
  there: { agent: builder, needs: [build], workspace: not/yet, run: [ls] }
  ask: { agent: builder, foreach: "[1, 2]", run: [ls, "\${{ each.value }}"], gate: approval }
finally:
  clean: { agent: builder, run: [rm, x] }
`);
    const before = (await project.entries()).length;
    const verdicts = async (...argv: string[]) => {
      const { stdout, code } = await project.agov('pipeline', 'plan', file, '--json', ...argv);
      const { ok, units } = JSON.parse(stdout) as { ok: boolean; units: { unit: string; verdict: string }[] };
      expect(ok).toBe(code === 0);
      return Object.fromEntries(units.map(({ unit, verdict }) => [unit, verdict]));
    };
    expect(await verdicts()).toEqual({
      ...{ look: 'allow', sneak: 'deny', build: 'allow', '~build': 'allow', ship: 'skip', merge: 'later' },
      ...{ there: 'later', ask: 'ask', clean: 'allow' },
    });
    expect((await verdicts('--param', 'ship=true'))['ship']).toBe('ask');
    const kinds = (await project.entries()).slice(before).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind !== 'policy')).toEqual([]);
  });

  it('ends with 1 where a stage would be denied, and says why', async () => {
    const file = write('stages:\n  sneak: { agent: reader, uses: fs.write, with: { path: x, content: y } }\n');
    const done = await project.agov('pipeline', 'plan', file);
    expect(done.code).toBe(1);
    expect(done.stdout).toMatch(/sneak +reader T0 +fs\.write +deny +T0 Observer may not/);
    expect(done.stdout).toContain('It would fail');
  });

  it('tells of an agent that may do nothing', async () => {
    await must(project.agov('freeze', 'frozen', '--reason', 'to look at it'));
    const done = await project.agov('pipeline', 'plan', write('stages:\n  a: { agent: frozen, run: [ls] }\n'));
    expect(done.stdout + done.stderr).toContain('frozen');
    expect(done.code).toBe(1);
  });
});

it('draws what needs what', async () => {
  const file = write(`stages:
  a: { agent: builder, run: [ls] }
  b: { agent: builder, needs: [a], matrix: { x: [1] }, run: [ls] }
  c: { agent: builder, needs: [a, b], gate: approval, run: [ls] }
finally:
  z: { agent: reader, run: [ls] }
`);
  const lines = (await must(project.agov('pipeline', 'graph', file))).stdout.trim().split('\n');
  expect(lines).toEqual([
    ...['Step 1', '  a  (builder)', 'Step 2', '  b  (builder)  [for each]  ← a'],
    ...['Step 3', '  c  (builder)  [asks]  ← a, b', 'Finally', '  z  (reader)'],
  ]);
  const mermaid = (await must(project.agov('pipeline', 'graph', file, '--mermaid'))).stdout;
  expect(mermaid).toMatch(/^flowchart LR\n/);
  for (const part of ['b[["b<br/>builder"]]', 'c{{"c<br/>builder"}}', 'a --> c', 'subgraph finally']) {
    expect(mermaid).toContain(part);
  }
});
