/** The templates that come with agov, each validated, planned and run; and what a run keeps of those that it uses. */
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';

let project: TestProject;
beforeEach(async () => {
  project = await testProject({ watcher: 'T0', builder: 'T1', admin: 'T2' });
});
afterEach(() => project[Symbol.dispose]());

const write = (name: string, uses: string, given: object, more = ''): string => {
  const stage = JSON.stringify({ uses, with: given });
  const text = `apiVersion: agov/v1\nkind: Pipeline\nname: test\nstages:\n  it: ${stage}\n${more}`;
  writeFileSync(join(project.root, name), text);
  return name;
};
const log = (): string[] => readFileSync(join(project.root, 'log'), 'utf8').split('\n').filter(Boolean);
const pipeline = async (...argv: string[]) => {
  const done = await project.agov('pipeline', ...argv, '--json');
  return { ...done, json: JSON.parse(done.stdout || done.stderr) };
};
/** Validated and planned, and then run with every consent given. */
const through = async (file: string) => {
  expect((await pipeline('validate', file)).json).toEqual({ ok: true, faults: [] });
  expect((await pipeline('plan', file)).json.ok).toBe(true);
  const { code, json } = await pipeline('run', file, '--yes');
  const stages: { stage: string; status: string; outputs: Record<string, unknown> }[] = json.stages;
  return { code, json, status: Object.fromEntries(stages.map((one) => [one.stage, one.status])), stages };
};

describeWith('bwrap', 'a shipped template', () => {
  it('map-reduce: does the same for each item, and makes one of all', async () => {
    const given = {
      worker: 'builder',
      reducer: 'watcher',
      items: ['a', 'b'],
      map: 'echo "<$ITEM>"',
      reduce: 'echo "$RESULTS"',
    };
    const next = `  after:
    agent: builder
    needs: [it]
    env: { ALL: "\${{ stages.it.outputs.result }} \${{ stages.it.status }}" }
    run: echo "$ALL" > log
`;
    const { code, json } = await through(write('p.yaml', 'agov:map-reduce', given, next));
    expect([code, log()]).toEqual([0, ['["<a>","<b>"] ok']]);
    expect(json.stages.map(({ stage, agent }: { stage: string; agent: string }) => `${stage} ${agent}`)).toEqual([
      ...['it.map[0] builder', 'it.map[1] builder', 'it.reduce watcher', 'after builder'],
    ]);
  });

  it('canary: takes everything back, the last first, when the rest is not well', async () => {
    const given = {
      deployer: 'builder',
      canaries: ['a'],
      rest: ['b', 'c'],
      deploy: 'echo "+$TARGET" >> log',
      check: 'echo "? $TARGETS" >> log; [ "$TARGETS" = \'["a"]\' ]',
      undo: 'echo "-$TARGET" >> log',
    };
    const { code, status } = await through(write('p.yaml', 'agov:canary', given));
    expect(code).toBe(1);
    expect(status).toMatchObject({
      'it.look': 'ok',
      'it.verify': 'failed',
      '~it.canaries[0]': 'ok',
      '~it.rest[1]': 'ok',
    });
    const [first, asked, ...rest] = log();
    expect([first, asked, rest.slice(0, 2).sort()]).toEqual(['+a', '? ["a"]', ['+b', '+c']]);
    expect(rest.filter((line) => line.startsWith('?'))).toEqual(Array(3).fill('? ["a","b","c"]'));
    expect(rest.at(-1)).toBe('-a');
  });

  it('incident: hands what it saw to who proposes, and undoes a remedy that does not help', async () => {
    const given = {
      observer: 'watcher',
      responder: 'builder',
      symptoms: 'echo "it is slow"',
      state: 'echo "disk full"',
      changes: 'echo "a1b2c3 more logs"',
      propose:
        'case "$EVIDENCE" in *slow*full*logs*|*logs*full*slow*|*logs*slow*full*) echo rotate ;; *) exit 9 ;; esac',
      remedy: 'echo "do $PROPOSAL" >> log',
      verify: 'grep -q helped log',
      undo: 'echo "undo $PROPOSAL" >> log',
    };
    const { code, status } = await through(write('p.yaml', 'agov:incident', given));
    expect([code, log()]).toEqual([1, ['do rotate', 'undo rotate']]);
    expect(status).toMatchObject({ 'it.remedy': 'ok', 'it.verify': 'failed', '~it.remedy': 'ok' });
  });

  it('review-merge: merges what was tested and approved, and nothing else', async () => {
    project.git('switch', '--quiet', '--create', 'agov/builder/work');
    writeFileSync(join(project.root, 'work.txt'), 'done\n');
    project.git('add', '--all');
    project.git('commit', '--quiet', '--message', 'Work');
    project.git('switch', '--quiet', 'main');
    const given = (review: string) => ({
      ...{ tester: 'builder', reviewer: 'watcher', merger: 'admin', branch: 'agov/builder/work', test: 'true', review },
    });
    const no = await through(write('p.yaml', 'agov:review-merge', given(`echo '{"verdict":"reject","reason":"no"}'`)));
    expect([no.code, no.status['it.agreed'], no.status['it.merge']]).toEqual([1, 'failed', 'pending']);
    const yes = await through(write('p.yaml', 'agov:review-merge', given(`echo '{"verdict":"approve"}'`)));
    expect([yes.code, yes.status['it.merge']]).toEqual([0, 'ok']);
    expect(readFileSync(join(project.root, 'work.txt'), 'utf8')).toBe('done\n');
  });
});

describeWith('bwrap', 'a run that uses templates', () => {
  const parts = (line: string): void => {
    mkdirSync(join(project.root, 'parts'), { recursive: true });
    const stage = `{ agent: builder, env: { WHO: "\${{ params.who }}" }, run: '${line}' }`;
    const head = 'apiVersion: agov/v1\nkind: Template\nname: greet\nparameters: { who: {} }\nstages:\n';
    const last = '{ agent: builder, needs: [say], run: "echo last >> log", gate: approval }';
    writeFileSync(join(project.root, 'parts/t.yaml'), `${head}  say: ${stage}\n  last: ${last}\n`);
  };

  it('goes on with the templates it began with, and is taken over by name of the stage that used one', async () => {
    parts('echo "hello $WHO" >> log');
    const file = write('p.yaml', './parts/t.yaml#greet', { who: 'ada' });
    const first = await pipeline('run', file);
    expect([first.code, log()]).toEqual([75, ['hello ada']]);
    rmSync(join(project.root, 'parts'), { recursive: true });
    rmSync(join(project.root, file));
    const [{ id }] = JSON.parse((await project.agov('approvals', '--json')).stdout);
    await must(project.agov('approve', id));
    expect((await pipeline('resume', first.json.run)).code).toBe(0);
    expect((await pipeline('show', first.json.run)).json.stages.map((one: { stage: string }) => one.stage)).toEqual([
      ...['it.say', 'it.last'],
    ]);
    expect((await pipeline('retry', first.json.run, '--from', 'it', '--yes')).code).toBe(0);
    expect(log()).toEqual(['hello ada', 'last', 'hello ada', 'last']);
    const started = (await project.entries()).find(({ kind, body }) => kind === 'run' && body['step'] === 'started');
    expect(started?.artifacts?.map(({ name }) => name)).toEqual([
      ...['pipeline.source.json', 'pipeline.yaml', 'parts/t.yaml', 'preflight.json'],
    ]);
  });

  it('skips all of a template whose condition does not hold', async () => {
    parts('echo never >> log');
    const stage = '{ uses: ./parts/t.yaml#greet, when: params.go, with: { who: ada } }';
    const text = `apiVersion: agov/v1\nkind: Pipeline\nname: test\nparameters: { go: { type: bool, default: false } }\n`;
    const after = '{ agent: builder, needs: [it], run: [sh, -c, "echo $0 >> log", "${{ stages.it.status }}"] }';
    writeFileSync(join(project.root, 'p.yaml'), `${text}stages:\n  it: ${stage}\n  after: ${after}\n`);
    const { json } = await pipeline('plan', 'p.yaml');
    expect(json.units.map(({ verdict }: { verdict: string }) => verdict)).toEqual(['skip', 'skip', 'allow']);
    const done = await pipeline('run', 'p.yaml');
    expect([done.code, log()]).toEqual([0, ['skipped']]);
    expect(existsSync(join(project.root, 'never'))).toBe(false);
  });
});

describeWith('bwrap terraform', 'a shipped template for infrastructure', () => {
  beforeEach(() => {
    const example = new URL('../../examples/terraform-change/infra', import.meta.url);
    cpSync(example, join(project.root, 'infra'), { recursive: true });
    appendFileSync(join(project.root, 'agov.yaml'), 'terraform:\n  environments: { infra/dev: dev }\n');
  });

  it('applies what was planned, sees no drift then, and refuses a plan that destroys', async () => {
    const given = { planner: 'builder', applier: 'builder', dir: 'infra/dev' };
    const run = (file: string) => pipeline('run', file, '--yes');
    const one = await through(write('p.yaml', 'agov:plan-apply', given));
    expect([one.code, one.status['it.apply']]).toEqual([0, 'ok']);
    const watch = await through(write('w.yaml', 'agov:drift-watch', { planner: 'builder', dir: 'infra/dev' }));
    expect(watch.stages.find(({ stage }) => stage === 'it.plan')?.outputs).toEqual({
      creates: 0,
      changes: 0,
      destroys: 0,
    });
    const vars = '{"image": "web:2"}';
    const refused = await run(write('p.yaml', 'agov:plan-apply', { ...given, vars }));
    expect([refused.code, refused.json.reason]).toEqual([1, expect.stringContaining('it.limit')]);
    expect((await run(write('p.yaml', 'agov:plan-apply', { ...given, vars, most_destroys: 1 }))).code).toBe(0);
  });
});
