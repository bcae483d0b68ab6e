/** Gates of pipelines as a user meets them: people with a role, evidence, events; and what a cancelled run leaves open. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { must, type Result, type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';

let project: TestProject;
beforeEach(async () => {
  project = await testProject({ builder: 'T1' });
});
afterEach(() => project[Symbol.dispose]());

const at = (path: string): string => join(project.root, path);
const write = (text: string): void =>
  writeFileSync(at('p.yaml'), `apiVersion: agov/v1\nkind: Pipeline\nname: test\n${text}`);
const log = (): string[] => (existsSync(at('log')) ? readFileSync(at('log'), 'utf8').split('\n').filter(Boolean) : []);
const run = (...argv: string[]): Promise<Result> => project.agov('pipeline', 'run', 'p.yaml', '--json', ...argv);
const runId = ({ stdout }: Result): string => JSON.parse(stdout).run;
const stageOf = ({ stdout }: Result, stage: string) =>
  JSON.parse(stdout).stages.find((one: { stage: string }) => one.stage === stage);
const operators = (text: string): void => {
  const config = readFileSync(at('agov.yaml'), 'utf8');
  writeFileSync(at('agov.yaml'), config.replace(/operators:(?: \[.*\]\n|\n(?: +.*\n)+)/, `operators: [${text}]\n`));
};

describeWith('bwrap', 'a gate that asks people', () => {
  const gated = `
stages:
  release:
    agent: builder
    run: echo released >> log
    gate: { approval: { quorum: 2, roles: [release], reason: Is the window open? } }
`;

  it('takes the consent of those with its role alone, also after the configuration changed', async () => {
    operators('{ name: ada }, { name: grace, roles: [release] }, { name: hopper, roles: [release] }');
    write(gated);
    const first = await run('--yes');
    expect(first.code).toBe(75);
    const [pending] = JSON.parse((await project.agov('approvals', '--json')).stdout);
    expect(pending).toMatchObject({ quorum: 2, roles: ['release'], operators: [] });
    expect(pending.reasons[0]).toBe('Is the window open?');
    const refused = await project.agov('approve', pending.id, '--as', 'ada');
    expect([refused.code, refused.stderr]).toEqual([77, expect.stringContaining('the role "release"')]);
    expect((await project.agov('approve', pending.id, '--as', 'grace')).stdout).toContain(
      '1 more with the role release',
    );
    expect((await project.agov('pipeline', 'resume', runId(first), '--yes')).code).toBe(75);
    // Whoever has lost the role since consented with it; whoever has it now may consent from now on.
    operators('{ name: ada, roles: [release] }, { name: grace }, { name: hopper }');
    expect((await project.agov('approve', pending.id, '--as', 'hopper')).code).toBe(77);
    operators('{ name: ada, roles: [release] }, { name: grace }, { name: hopper, roles: [release] }');
    await must(project.agov('approve', pending.id, '--as', 'hopper'));
    await must(project.agov('pipeline', 'resume', runId(first)));
    expect(log()).toEqual(['released']);
  });

  it('is a fault where nobody could open it', async () => {
    operators('{ name: ada }, { name: grace, roles: [release] }');
    write(gated);
    const few = await project.agov('pipeline', 'validate', 'p.yaml');
    expect(few.stdout).toContain('It needs 2 operators with the role release, and agov.yaml lists 1.');
    write(gated.replace('[release]', '[relaese]'));
    const unknown = await project.agov('pipeline', 'validate', 'p.yaml');
    expect(unknown.stdout).toContain('No operator in agov.yaml has the role "relaese". Did you mean "release"?');
  });
});

describeWith('bwrap', 'a gate that asks for evidence', () => {
  const gated = `
stages:
  test:
    agent: builder
    run: [sh, -c, 'echo 0 failed > report; cat count']
    artifacts: { report: report }
    outputs: { failed: { type: int, value: int(result.stdout.trim()) } }
  release:
    agent: builder
    needs: [test]
    run: echo released >> log
    gate: { evidence: [{ stage: test, artifact: report, holds: outputs.failed == 0 }] }
`;

  it('opens for what the run made, and for what a run made that it took over', async () => {
    writeFileSync(at('count'), '0');
    write(gated.replace('echo released', 'test -e ok; echo released'));
    const first = await run();
    expect([first.code, stageOf(first, 'release').reason]).toEqual([1, expect.stringContaining('Exit code 1')]);
    writeFileSync(at('ok'), '');
    expect((await project.agov('pipeline', 'retry', runId(first))).code).toBe(0);
    expect(log()).toEqual(['released']);
  });

  it('stays shut where its condition does not hold, and says so', async () => {
    writeFileSync(at('count'), '3');
    write(gated);
    const done = await run();
    expect([done.code, log()]).toEqual([1, []]);
    expect(stageOf(done, 'release').reason).toContain('The condition does not hold: outputs.failed == 0');
  });

  it.each([
    ['gone', (path: string) => rmSync(path), 'There is no artifact'],
    ['changed', (path: string) => writeFileSync(path, 'all is well'), 'is not what was recorded'],
  ])('stays shut where the bytes are %s', async (_what, tamper, why) => {
    writeFileSync(at('count'), '0');
    write(gated.replace('gate: { ', 'gate: { event: { name: go }, '));
    const first = await run();
    expect(first.code).toBe(75);
    const { sha256 } = stageOf(first, 'test').artifacts[0];
    tamper(at(`.agov/artifacts/${sha256.slice(0, 2)}/${sha256}`));
    await project.agov('pipeline', 'signal', runId(first), 'go');
    const done = await project.agov('pipeline', 'resume', runId(first), '--json');
    expect([done.code, log()]).toEqual([1, []]);
    expect(stageOf(done, 'release').reason).toContain(why);
  });
});

describeWith('bwrap', 'a gate that waits for an event', () => {
  const gated = `
stages:
  first: { agent: builder, run: echo first >> log }
  release:
    agent: builder
    needs: [first]
    gate: { event: { name: window, where: event.data.open, timeout: 1h } }
    env: { UNTIL: "\${{ event.data.until }}" }
    run: echo "released until $UNTIL" >> log
`;
  const signal = (id: string, data: string, ...more: string[]) =>
    project.agov('pipeline', 'signal', id, 'window', '--data', data, ...more);

  it('parks the run, passes over what it does not mean, and hands the data on', async () => {
    write(gated);
    const first = await run();
    expect([first.code, log()]).toEqual([75, ['first']]);
    const id = runId(first);
    expect((await signal(id, '{"open": false}')).stdout).toContain(`agov pipeline resume ${id}`);
    expect((await signal(id, '"no map at all"')).code).toBe(0);
    expect((await project.agov('pipeline', 'resume', id)).code).toBe(75);
    await signal(id, '{"open": true, "until": "18:00"}');
    await signal(id, '{"open": true, "until": "never"}');
    expect((await project.agov('pipeline', 'resume', id)).code).toBe(0);
    expect(log()).toEqual(['first', 'released until 18:00']);
  });

  it('is heard by a driver that lives, and counts what came before it waited', async () => {
    write(`${gated}  slow: { agent: builder, run: until test -e done; do sleep 0.1; done }\n`);
    const started = project.start(['pipeline', 'run', 'p.yaml']);
    const begun = async () =>
      (await project.entries()).find(({ kind, body }) => kind === 'run' && body['step'] === 'started');
    await expect.poll(begun, { timeout: 10_000 }).toBeDefined();
    expect((await signal((await begun())?.id ?? '', '{"open": true, "until": "noon"}')).code).toBe(0);
    await expect.poll(log, { timeout: 10_000 }).toEqual(['first', 'released until noon']);
    writeFileSync(at('done'), '');
    expect((await started.done).code).toBe(0);
  });

  it('fails with its time, which runs also while nobody drives', async () => {
    write(gated.replace('1h', '1s'));
    const first = await run();
    const awaiting = (await project.entries()).find(({ body }) => body['step'] === 'awaiting');
    const until = Date.parse(String(awaiting?.body['until']));
    await expect.poll(() => Date.now() > until, { timeout: 5000 }).toBe(true);
    // Too late: it came while nobody had noticed, and is not what was waited for any more.
    await signal(runId(first), '{"open": true}');
    const done = await project.agov('pipeline', 'resume', runId(first), '--json');
    expect(done.code).toBe(1);
    expect(stageOf(done, 'release')).toMatchObject({ status: 'failed', reason: 'No event "window" came within 1s.' });
    const ended = (await project.entries()).find(({ body }) => body['step'] === 'ended' && body['stage'] === 'release');
    expect(ended?.body['code']).toBe('TIMEOUT');
  });

  it('takes no word that is none: of an agent, of another name, too large, of no run', async () => {
    write(gated);
    const id = runId(await run());
    const inside = await project.start(['pipeline', 'signal', id, 'window'], { env: { AGOV_RUN: 'mine' } }).done;
    expect([inside.code, inside.stderr]).toEqual([77, expect.stringContaining('from inside a governed run')]);
    const tries = [
      await project.agov('pipeline', 'signal', id, 'windwo'),
      await signal(id, JSON.stringify('x'.repeat(9000))),
      await signal(id, '{"a": {"__proto__": 1}}'),
      await signal(id, '{'),
      await project.agov('pipeline', 'signal', 'nothing', 'window'),
    ];
    expect(tries.map(({ code, stderr }) => [code, stderr.split('\n')[0]])).toEqual([
      [66, 'agov: No stage of the run waits for an event "windwo".'],
      [65, 'agov: The data has 9002 bytes; an event takes 8192 at most.'],
      [65, expect.stringContaining('No expression could read this data')],
      [64, 'agov: --data is no JSON.'],
      [66, 'agov: There is no pipeline run nothing.'],
    ]);
    expect((await project.entries()).filter(({ body }) => body['step'] === 'signalled')).toEqual([]);
    await project.agov('pipeline', 'cancel', id);
    expect((await signal(id, '{"open": true}')).stderr).toContain('has ended (cancelled)');
  });
});

describeWith('bwrap', 'a cancelled run', () => {
  it('leaves no approval that another run could use', async () => {
    write('\nstages:\n  release: { agent: builder, run: echo released >> log, gate: approval }\n');
    const first = await run();
    const [pending] = JSON.parse((await project.agov('approvals', '--json')).stdout);
    await project.agov('approve', pending.id);
    await project.agov('pipeline', 'cancel', runId(first));
    expect(JSON.parse((await project.agov('approvals', '--json')).stdout)).toEqual([]);
    expect((await project.agov('approve', pending.id)).stderr).toContain('or its run was cancelled');
    expect([(await run()).code, log()]).toEqual([75, []]);
  });
});
