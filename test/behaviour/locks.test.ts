/** Locks and concurrency groups of pipelines as a user meets them: runs that keep out of each other's way. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Entry } from '../../src/schemas/index.ts';
import { type Result, type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';

let project: TestProject;
beforeEach(async () => {
  project = await testProject({ builder: 'T1' });
});
afterEach(() => project[Symbol.dispose]());

const at = (path: string): string => join(project.root, path);
const write = (text: string, file = 'p.yaml'): void =>
  writeFileSync(at(file), `apiVersion: agov/v1\nkind: Pipeline\nname: test\n${text}`);
const log = (): string[] => (existsSync(at('log')) ? readFileSync(at('log'), 'utf8').split('\n').filter(Boolean) : []);
const logged = (...lines: string[]) => expect.poll(log, { timeout: 10_000 }).toEqual(lines);
const run = (file = 'p.yaml', ...argv: string[]): Promise<Result> => project.agov('pipeline', 'run', file, ...argv);
const untilThere = (file: string): string => `until test -e ${file}; do sleep 0.05; done`;
const steps = async (kind: string, step: string): Promise<Entry[]> =>
  (await project.entries()).filter((entry) => entry.kind === kind && entry.body['step'] === step);
const lastRun = async (): Promise<string> => (await steps('run', 'started')).at(-1)?.id ?? '';
const grace = { env: { AGOV_STATE_GRACE: '1s' } };

describeWith('bwrap', 'a lock', () => {
  const holding = (name: string, file: string): string => `
stages:
  ${name}:
    agent: builder
    locks: [deploy/prod, db]
    run: echo "${name} $AGOV_LOCK_DEPLOY_PROD" >> log; ${untilThere(file)}; echo "${name} ends" >> log
`;

  it('keeps a second run waiting, which uses up no attempt, writes nothing meanwhile, and then runs', async () => {
    write(holding('one', 'first'), 'one.yaml');
    write(holding('two', 'second').replace('[deploy/prod, db]', '[db, deploy/prod]'), 'two.yaml');
    writeFileSync(at('second'), '');
    const first = run('one.yaml');
    await expect.poll(log, { timeout: 10_000 }).toHaveLength(1);
    const started = project.start(['pipeline', 'run', 'two.yaml']);
    let shown = '';
    started.child.stderr?.on('data', (chunk) => {
      shown += chunk;
    });
    await expect
      .poll(() => shown, { timeout: 10_000 })
      .toContain(`waits for lock "db", held by run ${await lastRunBut(1)}`);
    const waiting = (await project.entries()).length;
    await expect.poll(() => (shown.match(/waits for lock/g) ?? []).length, { interval: 700, timeout: 1500 }).toBe(1);
    expect((await project.entries()).length).toBe(waiting);
    writeFileSync(at('first'), '');
    expect([(await first).code, (await started.done).code]).toEqual([0, 0]);
    const [one, two] = (await steps('stage', 'started')).map(({ body }) => body['locks'] as Record<string, number>);
    expect(Object.keys(one ?? {}).sort()).toEqual(['db', 'deploy/prod']);
    expect(two?.['deploy/prod']).toBeGreaterThan(one?.['deploy/prod'] ?? Number.POSITIVE_INFINITY);
    expect(log()).toEqual([
      ...[`one ${one?.['deploy/prod']}`, 'one ends'],
      ...[`two ${two?.['deploy/prod']}`, 'two ends'],
    ]);
  });

  it('is free again when its stage has ended, and when its run was killed', async () => {
    write(holding('one', 'never'), 'one.yaml');
    const first = run('one.yaml');
    await expect.poll(log, { timeout: 10_000 }).toHaveLength(1);
    await project.agov('kill', '--run', await lastRun(), '--reason', 'stuck');
    expect((await first).code).toBe(130);
    write(holding('two', 'log'), 'two.yaml');
    expect((await run('two.yaml')).code).toBe(0);
  });

  it('is let go while an operator is asked, and its token is no part of what they consent to', async () => {
    write(`${holding('asks', 'log')}    gate: approval\n`, 'asks.yaml');
    expect((await run('asks.yaml')).code).toBe(75);
    const asking = await lastRun();
    write(holding('other', 'log'), 'other.yaml');
    expect((await run('other.yaml')).code).toBe(0);
    const [pending] = JSON.parse((await project.agov('approvals', '--json')).stdout);
    await project.agov('approve', pending.id);
    expect((await project.agov('pipeline', 'resume', asking)).code).toBe(0);
    const [begun] = await steps('stage', 'started');
    const [again] = await steps('stage', 'locked');
    const tokens = [begun, again].map((entry) => Object(entry?.body['locks'])['deploy/prod'] as number);
    expect(tokens[1]).toBeGreaterThan(tokens[0] ?? Number.POSITIVE_INFINITY);
    expect(log().slice(-2)).toEqual([`asks ${tokens[1]}`, 'asks ends']);
  });

  it('that is lost in the middle stops what it guards', async () => {
    write(`${holding('one', 'never')}    compensate: { run: echo undone >> log }\n`);
    const started = project.start(['pipeline', 'run', 'p.yaml', '--json'], grace);
    await expect.poll(log, { timeout: 10_000 }).toHaveLength(1);
    // A store that forgot: somebody else could have it by now.
    const { DatabaseSync } = await import('node:sqlite');
    using db = new DatabaseSync(at('.agov/state.db'));
    db.exec('DELETE FROM locks');
    const done = await started.done;
    expect(done.code).toBe(1);
    const [ended] = await steps('stage', 'ended');
    expect(ended?.body).toMatchObject({ status: 'failed', code: 'LOCK_LOST' });
    expect(log()).toHaveLength(1);
  });

  it('whose name turns out to be none fails its stage before it starts', async () => {
    write(`
stages:
  first: { agent: builder, run: [echo, a b], outputs: { name: result.stdout.trim() } }
  second: { agent: builder, needs: [first], locks: ["\${{ stages.first.outputs.name }}"], run: echo second >> log }
`);
    const done = await run('p.yaml', '--json');
    expect([done.code, log()]).toEqual([1, []]);
    expect(done.stdout).toContain('cannot name a lock');
  });
});

async function lastRunBut(after: number): Promise<string> {
  const runs = await steps('run', 'started');
  return runs.at(-1 - after)?.id ?? runs[0]?.id ?? '';
}

describeWith('bwrap', 'a concurrency group', () => {
  const grouped = (busy: string): string => `
parameters: { name: {}, env: { default: prod } }
concurrency: { group: "deploy-\${{ params.env }}", busy: ${busy} }
stages:
  work:
    agent: builder
    run: [sh, -c, 'echo "$1" >> log; until test -e "$1.done"; do sleep 0.05; done; echo "$1 done" >> log', sh, "\${{ params.name }}"]
    compensate: { run: [sh, -c, 'echo "$1 undone" >> log', sh, "\${{ params.name }}"] }
  after: { agent: builder, needs: [work], run: "${untilThere('after')}" }
`;
  const start = (name: string, ...more: string[]) =>
    project.start(['pipeline', 'run', 'p.yaml', '--param', `name=${name}`, ...more], grace);
  const finish = (name: string): void => writeFileSync(at(`${name}.done`), '');

  it('lets a newer run end the older one, and waits until that has undone what it did', async () => {
    write(grouped('cancel'));
    finish('one');
    finish('two');
    const one = start('one');
    await logged('one', 'one done');
    const two = start('two');
    expect((await one.done).code).toBe(130);
    writeFileSync(at('after'), '');
    expect((await two.done).code).toBe(0);
    expect(log()).toEqual(['one', 'one done', 'one undone', 'two', 'two done']);
    const [cancelling] = await steps('run', 'cancelling');
    expect(cancelling?.body['reason']).toMatch(/^Cancelled by ada: run \S+ of the same group began$/);
  });

  it('refuses a second run before it begins', async () => {
    write(grouped('refuse'));
    const one = start('one');
    await logged('one');
    const refused = await run('p.yaml', '--param', 'name=two');
    expect([refused.code, refused.stderr]).toEqual([69, expect.stringContaining(`is at run ${await lastRun()}`)]);
    for (const file of ['one.done', 'after']) writeFileSync(at(file), '');
    expect((await one.done).code).toBe(0);
  });
});
