/** Beginning with a template, and what `init` leaves for editors. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../support/cli.ts';

let project: TestProject;
beforeAll(async () => {
  project = await testProject({ builder: 'T1', merger: 'T2' });
});
afterAll(() => project[Symbol.dispose]());

const make = async (...argv: string[]) =>
  JSON.parse((await must(project.agov('pipeline', 'new', ...argv, '--json'))).stdout);
const text = (path: string): string => readFileSync(join(project.root, path), 'utf8');

describe('agov pipeline new', () => {
  it('lists the templates with what they take', async () => {
    const all: { name: string; parameters: object }[] = await make('--list');
    expect(all.map(({ name }) => name)).toEqual(
      ['canary', 'drift-watch', 'incident', 'map-reduce', 'plan-apply', 'review-merge'].map((name) => `agov:${name}`),
    );
    expect(Object.keys(all[4]?.parameters ?? {})).toEqual(['planner', 'applier', 'dir', 'vars', 'most_destroys']);
  });

  it('writes a pipeline that can be planned, where all that is needed is given', async () => {
    const made = await make(
      'map-reduce',
      'pipelines/sizes.yaml',
      '-p',
      'items=a,b',
      'map=echo 1',
      'reduce=echo "$RESULTS"',
    );
    expect(made).toMatchObject({ file: 'pipelines/sizes.yaml', ok: true, faults: [] });
    expect(text('pipelines/sizes.yaml')).toContain('      items: ["a","b"]\n');
    const planned = await project.agov('pipeline', 'plan', 'pipelines/sizes.yaml', '--json');
    expect([planned.code, JSON.parse(planned.stdout).pipeline]).toEqual([0, 'sizes']);
  });

  it('names what is left to be filled in, and takes the agent that a parameter is named after', async () => {
    const made = await make('review-merge');
    expect(made.file).toBe('pipelines/review-merge.yaml');
    const lines = text('pipelines/review-merge.yaml').split('\n');
    const open = made.faults.map(({ line }: { line: number }) => lines[line - 1]?.trim());
    expect(open).toEqual(['branch:', 'test:', 'review:']);
    expect(lines).toContain('      merger: merger');
    expect(lines).toContain('      tester: builder');
  });

  it('uses a template of the project, from where the new file lies', async () => {
    mkdirSync(join(project.root, 'pipelines/parts'));
    const part =
      'apiVersion: agov/v1\nkind: Template\nname: say\nparameters: { words: { default: "a: b # c" } }\nstages:\n';
    writeFileSync(
      join(project.root, 'pipelines/parts/say.yaml'),
      `${part}  s: { agent: builder, run: [echo, "\${{ params.words }}"] }\n`,
    );
    expect(await make('./pipelines/parts/say.yaml#say', 'pipelines/hello.yaml')).toMatchObject({ ok: true });
    expect(text('pipelines/hello.yaml')).toContain('uses: ./parts/say.yaml#say');
    const checked = await project.agov('pipeline', 'validate', 'pipelines/parts/say.yaml');
    expect(checked.stdout).toContain('ok: say');
  });

  it.each([
    ['a template that is not there', ['plan-aply'], 66, 'Did you mean "plan-apply"'],
    ['a file that is there', ['canary', 'agov.yaml'], 73, 'is not written over'],
    ['a parameter that is not there', ['canary', 'x.yaml', '-p', 'deplyer=x'], 65, 'Did you mean "deployer"'],
    ['a value of another type', ['plan-apply', 'x.yaml', '-p', 'most_destroys=many'], 65, 'a whole number'],
    ['a folder that is not there', ['canary', 'no/such/x.yaml'], 73, 'no/such'],
    ['a way out', ['../../etc/passwd.yaml#x'], 66, 'cannot be read'],
  ])('refuses %s', async (_what, argv, code, message) => {
    const refused = await project.agov('pipeline', 'new', ...argv);
    expect([refused.code, refused.stderr]).toEqual([code, expect.stringContaining(message)]);
    expect(existsSync(join(project.root, 'x.yaml'))).toBe(false);
  });
});

describe('editors', () => {
  it('find a schema beside every file that agov has written, in every clone', async () => {
    for (const file of ['agov.yaml', 'pipelines/sizes.yaml']) {
      const [, path = ''] = /^# yaml-language-server: \$schema=(\S+)$/m.exec(text(file)) ?? [];
      const found = resolve(join(project.root, dirname(file)), path);
      expect(JSON.parse(readFileSync(found, 'utf8')).title, file).toMatch(/^agov: /);
      if (file === 'agov.yaml') expect(project.git('ls-files', path)).toBe(path);
    }
  });

  it('have them made anew by init, and the rest kept', async () => {
    writeFileSync(join(project.root, 'pipelines/schemas/pipeline.schema.json'), '{}');
    const before = text('agov.yaml');
    const { written } = JSON.parse((await must(project.agov('init', '--json'))).stdout);
    expect(written).toEqual(['pipelines/schemas/']);
    expect([text('agov.yaml'), JSON.parse(text('pipelines/schemas/pipeline.schema.json')).title]).toEqual([
      ...[before, 'agov: a pipeline'],
    ]);
  });

  it('can be given one by hand', async () => {
    const { stdout } = await must(project.agov('schema', 'template'));
    expect(stdout).toBe(readFileSync(new URL('../../builtin/schemas/template.schema.json', import.meta.url), 'utf8'));
    const refused = await project.agov('schema', 'pipelin');
    expect([refused.code, refused.stderr]).toEqual([66, expect.stringContaining('Did you mean "pipeline"')]);
  });

  it('are completed for by the shell', async () => {
    const { stdout } = await must(project.agov('completion', 'bash'));
    expect(/"pipeline new"\) COMPREPLY=.*plan-apply/.test(stdout)).toBe(true);
  });
});
