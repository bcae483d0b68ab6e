/** The pipeline language by what it does: values, conditions, items, retries, undoing, final stages, and being stopped. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';

let project: TestProject;
beforeEach(async () => {
  project = await testProject({ builder: 'T1' });
});
afterEach(() => project[Symbol.dispose]());

const write = (text: string): string => {
  writeFileSync(join(project.root, 'p.yaml'), `apiVersion: agov/v1\nkind: Pipeline\nname: test\n${text}`);
  return 'p.yaml';
};
const log = (): string[] => readFileSync(join(project.root, 'log'), 'utf8').split('\n').filter(Boolean);
const run = (...argv: string[]) => project.agov('pipeline', 'run', 'p.yaml', '--json', ...argv);

describeWith('bwrap', 'a pipeline', () => {
  it('hands values on as arguments and variables, never as code', async () => {
    write(`
parameters:
  who: {}
stages:
  make:
    agent: builder
    run: [sh, -c, 'printf %s "{\\"n\\": 3, \\"text\\": \\"$1\\"}"', sh, "\${{ params.who }}"]
    outputs:
      n: { type: int, value: json(result.stdout).n }
      text: json(result.stdout).text
  use-it:
    agent: builder
    needs: [make]
    when: stages.make.outputs.n == 3
    env: { TEXT: "\${{ stages.make.outputs.text }}", N: "\${{ stages.make.outputs.n + 1 }}" }
    run: echo "$N $TEXT" >> log
  skipped:
    agent: builder
    needs: [make]
    when: stages.make.outputs.n > 3
    run: echo never >> log
  after:
    agent: builder
    needs: [use-it, skipped]
    uses: fs.write
    with: { path: after.txt, content: "\${{ stages.use_it.status }} \${{ stages.skipped.status }}" }
`);
    const who = '$(touch pwned); `touch pwned`; touch pwned';
    const done = await run('--param', `who=${who}`);
    expect([done.code, done.stderr]).toEqual([0, expect.any(String)]);
    expect(log()).toEqual([`4 ${who}`]);
    expect(readFileSync(join(project.root, 'after.txt'), 'utf8')).toBe('ok skipped');
    expect(() => readFileSync(join(project.root, 'pwned'))).toThrow();
    // What the command was told by variable is in the intent: an approval would have been for exactly that.
    const intent = (await project.entries()).find(({ body }) => Object(body['args']).env !== undefined);
    expect(intent?.body['args']).toMatchObject({ env: { N: '4', TEXT: who } });
  });

  it.each([
    [[], 'is missing'],
    [['--param', 'whom=x'], 'has no parameter'],
    [['--param', 'who'], 'NAME=VALUE'],
    [['--param', 'who=x', 'who=y'], 'given twice'],
    [['--param', 'who=x', 'n=many'], 'must be a whole number'],
    [['--param', 'who=x', 'n=9'], 'must be one of 1, 2'],
    [['--param', 'who=x', 'db=not a path'], 'path of a secret'],
  ])('refuses parameters %j', async (argv, message) => {
    write(`
parameters:
  who: {}
  n: { type: int, default: 1, choices: [1, 2] }
  db: { type: secret, default: dev/db }
stages:
  a: { agent: builder, run: [echo, "\${{ params.who }}"] }
`);
    const refused = await run(...argv);
    expect(refused.code).not.toBe(0);
    expect(refused.stdout + refused.stderr).toContain(message);
    expect((await project.entries()).filter(({ kind }) => kind === 'run')).toEqual([]);
  });

  it('runs once for each item, tries again, undoes in reverse, and ends with the final stages', async () => {
    write(`
parallel: 1
stages:
  hosts:
    agent: builder
    run: [echo, '["a", "b"]']
    outputs: { names: { type: list, value: json(result.stdout) } }
  deploy:
    agent: builder
    needs: [hosts]
    foreach: stages.hosts.outputs.names
    run: [sh, -c, 'echo "deploy $1" >> log; echo id-$1', sh, "\${{ each.value }}"]
    outputs: { id: result.stdout.trim() }
    compensate: { run: [sh, -c, 'echo "undo $1" >> log', sh, "\${{ own.outputs.id }}"] }
  combine:
    agent: builder
    needs: [deploy]
    matrix: { os: [linux, mac], v: [1, 2] }
    run: [sh, -c, 'echo "$1 $2" >> log', sh, "\${{ matrix.os }}", "\${{ matrix.v }}"]
  flaky:
    agent: builder
    needs: [combine]
    retry: { attempts: 3, backoff: 1ms, on: [EXIT_7] }
    run: echo try >> log; [ "$(grep -c try log)" -ge 3 ] || exit 7
  bad:
    agent: builder
    needs: [flaky]
    env: { IDS: "\${{ stages.deploy.outputs.id.join(',') }}" }
    retry: { attempts: 5, on: [EXIT_7] }
    run: echo "$IDS" >> log; exit 3
finally:
  clean:
    agent: builder
    env: { STATUS: "\${{ run.status }} \${{ stages.bad.status }}" }
    run: echo "clean $STATUS" >> log
`);
    const done = await run();
    expect(done.code).toBe(1);
    expect(JSON.parse(done.stdout)).toMatchObject({ status: 'failed', reason: expect.stringContaining('Exit code 3') });
    const tries = ['try', 'try', 'try'];
    const combined = ['linux 1', 'linux 2', 'mac 1', 'mac 2'];
    const undone = ['undo id-b', 'undo id-a'];
    expect(log()).toEqual([
      ...['deploy a', 'deploy b', ...combined, ...tries, 'id-a,id-b', ...undone, 'clean failed failed'],
    ]);
  });

  it('undoes what was done when it is stopped', async () => {
    write(`
stages:
  first:
    agent: builder
    run: echo first >> log
    compensate: { run: echo undo first >> log }
  long:
    agent: builder
    needs: [first]
    run: echo ready; sleep 60
finally:
  clean: { agent: builder, run: echo clean >> log }
`);
    rmSync(join(project.root, 'log'), { force: true });
    const started = project.start(['pipeline', 'run', 'p.yaml', '--output']);
    await expect
      .poll(async () => (await project.entries()).filter(({ kind }) => kind === 'intent').length, { timeout: 20_000 })
      .toBe(2);
    started.child.kill('SIGINT');
    expect((await started.done).code).toBe(130);
    expect(log()).toEqual(['first', 'undo first', 'clean']);
    const last = (await project.entries()).findLast(({ kind }) => kind === 'run');
    expect(last?.body).toMatchObject({ step: 'ended', status: 'cancelled' });
  });

  const stoppable = `
stages:
  first:
    agent: builder
    run: echo first >> log
    compensate: { run: echo undo first >> log }
  second:
    agent: builder
    needs: [first]
    run: SECOND
finally:
  clean: { agent: builder, run: echo clean >> log }
`;
  const runs = async () =>
    (await project.entries()).filter(({ kind, body }) => kind === 'run' && body['step'] === 'started');

  it('is cancelled by another process, and undoes what it did', async () => {
    write(stoppable.replace('SECOND', 'sleep 60'));
    const started = project.start(['pipeline', 'run', 'p.yaml']);
    const intents = async () => (await project.entries()).filter(({ kind }) => kind === 'intent').length;
    await expect.poll(intents, { timeout: 20_000 }).toBe(2);
    const [begun] = await runs();
    const done = await project.agov('pipeline', 'cancel', begun?.id ?? '', '--reason', 'wrong version');
    expect([done.code, done.stdout]).toEqual([0, expect.stringContaining('by its driver')]);
    expect((await started.done).code).toBe(130);
    expect(log()).toEqual(['first', 'undo first', 'clean']);
    const show = await project.agov('pipeline', 'show', begun?.id ?? '');
    expect(show.stdout).toContain('Cancelled by ada: wrong version');
    expect((await project.agov('pipeline', 'cancel', begun?.id ?? '')).stderr).toContain('has ended (cancelled)');
  });

  it('is cancelled while nobody drives it, and starts nothing that it had not', async () => {
    write(stoppable.replace('SECOND', 'echo second >> log, gate: approval'.replace(', gate', '\n    gate')));
    expect((await run()).code).toBe(75);
    const [begun] = await runs();
    const [pending] = JSON.parse((await project.agov('approvals', '--json')).stdout);
    await project.agov('approve', pending.id);
    expect((await project.agov('pipeline', 'cancel', begun?.id ?? '')).code).toBe(130);
    expect(log()).toEqual(['first', 'undo first', 'clean']);
  });

  it('begins again where it failed, and keeps what was done well and not undone', async () => {
    write(`
stages:
  undone:
    agent: builder
    run: echo undone >> log
    compensate: { run: echo undo >> log }
  kept:
    agent: builder
    foreach: '["x", "y"]'
    run: [sh, -c, 'echo "kept $1" >> log; echo "$1"', sh, "\${{ each.value }}"]
    outputs: { name: result.stdout.trim() }
  shaky:
    agent: builder
    needs: [undone, kept]
    env: { NAMES: "\${{ stages.kept.outputs.name.join('+') }}" }
    run: echo "shaky $NAMES" >> log; test -e ok
  last: { agent: builder, needs: [shaky], run: echo last >> log }
`);
    expect((await run()).code).toBe(1);
    const [first] = await runs();
    const retry = (...argv: string[]) => project.agov('pipeline', 'retry', first?.id ?? '', ...argv);
    expect((await retry('--from', 'shakey')).stderr).toContain('Did you mean "shaky"?');
    writeFileSync(join(project.root, 'ok'), '');
    rmSync(join(project.root, 'log'));
    const done = await retry('--json');
    expect([done.code, log()]).toEqual([0, ['undone', 'shaky x+y', 'last']]);
    expect((await runs()).at(-1)?.body).toMatchObject({ retryOf: first?.id });
    const again = JSON.parse(done.stdout).run;
    rmSync(join(project.root, 'log'));
    expect((await project.agov('pipeline', 'retry', again)).stderr).toContain('ended well');
    expect((await project.agov('pipeline', 'retry', again, '--from', 'last')).code).toBe(0);
    expect(log()).toEqual(['last']);
  });

  it('tells of the items of a final stage too', async () => {
    write(`
stages:
  only: { agent: builder, run: [ls] }
finally:
  clean: { agent: builder, foreach: '["a", "b"]', run: [echo, "\${{ each.value }}"] }
`);
    const report = JSON.parse((await run()).stdout) as { stages: { stage: string; status: string }[] };
    const told = report.stages.map(({ stage, status }) => `${stage} ${status}`);
    expect(told).toEqual(['only ok', 'clean[0] ok', 'clean[1] ok']);
  });
});
