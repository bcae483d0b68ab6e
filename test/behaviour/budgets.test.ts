/** Budgets of pipelines, as their users meet them. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Entry } from '../../src/schemas/index.ts';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';

let project: TestProject;
beforeEach(async () => {
  project = await testProject({ builder: 'T1' });
});
afterEach(() => project[Symbol.dispose]());

const file = (text: string): string => {
  writeFileSync(join(project.root, 'p.yaml'), `apiVersion: agov/v1\nkind: Pipeline\nname: p\n${text}`);
  return 'p.yaml';
};
const log = (): string[] => {
  const path = join(project.root, 'log');
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
};
const ends = (entries: readonly Entry[]): string[] =>
  entries
    .filter(({ kind, body }) => kind === 'stage' && body['step'] === 'ended')
    .map(({ body }) => `${body['undo'] ? '~' : ''}${body['stage']} ${body['code'] ?? body['status']}`);
const run = async (text: string) => {
  const done = await project.agov('pipeline', 'run', file(text), '--json');
  return { ...done, report: JSON.parse(done.stdout) };
};

describeWith('bwrap', 'a pipeline with a budget', () => {
  it('fails where it is used up, is not tried again, and is undone and ended all the same', async () => {
    const { code, report } = await run(`budget: { actions: 2 }
stages:
  first: { agent: builder, run: echo first >> log, compensate: { run: echo undone >> log } }
  second: { agent: builder, needs: [first], run: echo second >> log }
  third: { agent: builder, needs: [second], run: echo third >> log, retry: { attempts: 5, backoff: 1ms } }
finally:
  last: { agent: builder, run: echo last >> log }
`);
    expect([code, log()]).toEqual([1, ['first', 'second', 'undone', 'last']]);
    const entries = await project.entries();
    expect(ends(entries)).toEqual(['first ok', 'second ok', 'third BUDGET_EXCEEDED', '~first ok', 'last ok']);
    expect(report.reason).toContain('The budget "p" of run');
    expect(report.reason).toContain('is used up: actions 2 of 2');
    const overdrawn = entries.filter(({ body }) => (body['budget'] as { overdraws?: true } | undefined)?.overdraws);
    expect(overdrawn).toHaveLength(2);
    expect((await project.agov('pipeline', 'show', report.run)).stdout).toContain('Spent: actions 4 of 2');
  });

  it('lets a stage spend what is its own, over all its items and attempts', async () => {
    const { report } = await run(`budget: { actions: 20 }
stages:
  many: { agent: builder, foreach: "[1, 2, 3, 4]", parallel: 1, run: [sh, -c, 'echo $0 >> log', "\${{ each.value }}"], budget: { actions: 3 } }
`);
    expect(report.status).toBe('failed');
    expect(log()).toEqual(['1', '2', '3']);
    const { stdout } = await must(project.agov('budget', report.run));
    expect(stdout).toMatch(/p\s+actions\s+20\s+3\s+17\n└ many\s+actions\s+3\s+3\s+0/);
    const told = JSON.parse((await must(project.agov('budget', 'builder', '--json'))).stdout);
    expect(told).toMatchObject([{ name: 'many', agent: 'builder', used: { actions: 3 }, left: { actions: 0 } }]);
  });

  it('stops what runs when its minutes are over', async () => {
    const { report } = await run(`stages:
  slow: { agent: builder, run: sleep 60, budget: { minutes: 0.02 }, retry: { attempts: 3, backoff: 1ms } }
`);
    expect(ends(await project.entries())).toEqual(['slow BUDGET_EXCEEDED']);
    expect(report.reason).toContain('The minutes of its budget are over.');
    expect(Date.parse(report.endedAt) - Date.parse(report.startedAt)).toBeLessThan(30_000);
  });

  it('goes on with the same budget after it waited for somebody', async () => {
    const text = `budget: { actions: 2 }
stages:
  a: { agent: builder, run: echo a >> log }
  b: { agent: builder, needs: [a], run: echo b >> log, gate: approval }
  c: { agent: builder, needs: [b], run: echo c >> log }
`;
    const { code, report } = await run(text);
    expect(code).toBe(75);
    const [pending] = JSON.parse((await project.agov('approvals', '--json')).stdout);
    await must(project.agov('approve', pending.id));
    expect((await project.agov('pipeline', 'resume', report.run)).code).toBe(1);
    expect(log()).toEqual(['a', 'b']);
    expect((await project.entries()).filter(({ kind }) => kind === 'budget')).toHaveLength(1);
  });

  it('is shown before it runs, and gives no agent’s command a word in it', async () => {
    const text = `budget: { money: 1.5, minutes: 10, actions: 1 }
stages:
  sly: { agent: builder, run: [sh, -c, 'echo once >> log'], env: { BUDGET: '1000', AGOV_BUDGET: none }, budget: { tokens: 1000 } }
  more: { agent: builder, needs: [sly], run: echo twice >> log }
`;
    const { stdout } = await must(project.agov('pipeline', 'plan', file(text)));
    expect(stdout).toContain('Budget of p: money 1.5, time 10m 00s, actions 1');
    expect(stdout).toContain('Budget of stage sly: tokens 1,000');
    expect((await run(text)).code).toBe(1);
    expect(log()).toEqual(['once']);
  });
});

it('says that there is none', async () => {
  await must(project.agov('agent', 'add', 'amy', '--tier', 'T0'));
  expect((await must(project.agov('budget'))).stdout).toContain('No budget was opened yet.');
  expect((await must(project.agov('budget', 'amy'))).stdout).toContain('There is no budget of amy.');
  expect(JSON.parse((await must(project.agov('budget', '--json'))).stdout)).toEqual([]);
});
