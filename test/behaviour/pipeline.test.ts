import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Entry } from '../../src/schemas/index.ts';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';
import { larger, someOf } from '../support/sizes.ts';

let project: TestProject;
beforeEach(async () => {
  project = await testProject({ reader: 'T0', builder: 'T1', admin: 'T2' });
});
afterEach(() => project[Symbol.dispose]());

const file = (text: string, name = 'p.yaml'): string => {
  writeFileSync(join(project.root, name), text);
  return name;
};
const head = 'apiVersion: agov/v1\nkind: Pipeline\nname: test\nstages:\n';

const chain = `${head}
  first: { agent: builder, run: echo first >> log }
  left: { agent: builder, needs: [first], run: echo left > left }
  right: { agent: builder, needs: [first], run: echo right > right, artifacts: { right.txt: right } }
  last: { agent: builder, needs: [left, right], run: echo last >> log, gate: approval }
`;

function stagesOf(entries: readonly Entry[]): string[] {
  return entries
    .filter(({ kind, body }) => kind === 'stage' && body['step'] === 'ended')
    .map(({ body }) => `${body['stage']} ${body['status']}`);
}

describeWith('bwrap', 'agov pipeline run', () => {
  it('runs stages after what they need, and reports', async () => {
    const done = await project.agov('pipeline', 'run', file(chain), '--yes', '--json');
    expect(done.code).toBe(0);
    const report = JSON.parse(done.stdout);
    expect(report).toMatchObject({ status: 'ok', decisions: { allow: 4, ask: 1, deny: 0 }, verified: { ok: true } });
    expect(report.approvals).toMatchObject([{ operator: 'ada', via: '--yes' }]);
    const order = stagesOf(await project.entries());
    expect([order[0], order[3]]).toEqual(['first ok', 'last ok']);
    expect(readFileSync(join(project.root, 'log'), 'utf8')).toBe('first\nlast\n');
    const right = report.stages.find((stage: { stage: string }) => stage.stage === 'right');
    expect((await project.agov('artifact', right.artifacts[0].sha256)).stdout).toBe('right\n');
  });

  it('waits for an approval, and goes on after it without repeating a stage', async () => {
    const waiting = await project.agov('pipeline', 'run', file(chain), '--json');
    expect(waiting.code).toBe(75);
    const { run } = JSON.parse(waiting.stdout);
    const [pending] = JSON.parse((await project.agov('approvals', '--json')).stdout);
    expect((await project.agov('pipeline', 'resume', run)).code).toBe(75);
    await must(project.agov('approve', pending.id));
    await must(project.agov('pipeline', 'resume', run));
    expect(readFileSync(join(project.root, 'log'), 'utf8')).toBe('first\nlast\n');
    expect((await project.agov('pipeline', 'resume', run)).code).toBe(73);
  });

  it('undoes without a question what only its stage was asked for, and waits where undoing has a gate of its own', async () => {
    const text = `${head}
  free: { agent: builder, run: echo free >> log, gate: approval, compensate: { run: echo undo free >> log } }
  grave: { agent: builder, needs: [free], run: echo grave >> log, compensate: { gate: approval, run: echo undo grave >> log } }
  bad: { agent: builder, needs: [grave], run: exit 3 }
finally:
  clean: { agent: builder, run: echo clean >> log }
`;
    const log = () => readFileSync(join(project.root, 'log'), 'utf8').split('\n').slice(0, -1);
    const { run } = JSON.parse((await project.agov('pipeline', 'run', file(text), '--json')).stdout);
    const consent = async () => {
      const [pending] = JSON.parse((await project.agov('approvals', '--json')).stdout);
      expect(pending.run).toBe(run);
      await must(project.agov('approve', pending.id));
      return project.agov('pipeline', 'resume', run);
    };
    expect([(await consent()).code, log()]).toEqual([75, ['free', 'grave']]);
    expect([(await consent()).code, log()]).toEqual([1, ['free', 'grave', 'undo grave', 'undo free', 'clean']]);
  });

  it('fails when an operator says no', async () => {
    const { run } = JSON.parse((await project.agov('pipeline', 'run', file(chain), '--json')).stdout);
    const [pending] = JSON.parse((await project.agov('approvals', '--json')).stdout);
    await must(project.agov('deny', pending.id, '--reason', 'not today'));
    const again = await project.agov('pipeline', 'resume', run, '--json');
    // The agent asks anew: a denial ends one question, it is no answer to the next.
    expect(again.code).toBe(75);
    expect(existsSync(join(project.root, 'log'))).toBe(true);
  });

  it('stops at a stage that fails, and runs nothing after it', async () => {
    const text = `${head}
  bad: { agent: builder, run: exit 3 }
  after: { agent: builder, needs: [bad], run: touch after }
`;
    const done = await project.agov('pipeline', 'run', file(text), '--json');
    expect(done.code).toBe(1);
    expect(JSON.parse(done.stdout)).toMatchObject({ status: 'failed', reason: expect.stringContaining('Exit code 3') });
    expect(existsSync(join(project.root, 'after'))).toBe(false);
  });

  it('takes a refusal as success where it was expected, and only there', async () => {
    const stage = (expectation: string) =>
      `${head}  write: { agent: reader, uses: fs.write, with: { path: x, content: y }${expectation} }\n`;
    expect((await project.agov('pipeline', 'run', file(stage(', expect: denied')))).code).toBe(0);
    const anyhow = ['--skip-preflight', 'to see the refusal itself'];
    expect((await project.agov('pipeline', 'run', file(stage('')), ...anyhow)).code).toBe(1);
    const allowed = stage(', expect: denied').replace('reader', 'builder');
    const done = await project.agov('pipeline', 'run', file(allowed), '--json', ...anyhow);
    expect(JSON.parse(done.stdout).reason).toContain('expected to refuse');
  });

  it.each([
    ['was not made', 'true'],
    ['is a symlink to what is not the agent’s', 'ln -s /etc/passwd out'],
    ['is a pipe', 'mkfifo out'],
    ['is a folder', 'mkdir out'],
  ])('ends in failure when a promised artifact %s', async (_what, run) => {
    const text = `${head}  a: { agent: builder, run: "${run}", artifacts: { out: out } }\n`;
    expect((await project.agov('pipeline', 'run', file(text))).code).toBe(1);
    const entries = await project.entries();
    expect(stagesOf(entries)).toEqual(['a failed']);
    expect(entries.at(-1)?.body).toMatchObject({ step: 'ended', status: 'failed' });
    expect(entries.find(({ kind }) => kind === 'outcome')?.body).toMatchObject({ status: 'ok' });
  });

  it('resumes exactly what was started, whatever the file says by then', async () => {
    const name = file(chain);
    const { run } = JSON.parse((await project.agov('pipeline', 'run', name, '--json')).stdout);
    file(chain.replace('echo last >> log', 'echo changed >> log'), name);
    await must(project.agov('pipeline', 'resume', run, '--yes'));
    expect(readFileSync(join(project.root, 'log'), 'utf8')).toBe('first\nlast\n');
  });

  it('ends the same after a SIGKILL at any commit and a resume', async () => {
    const name = file(chain);
    // Just before and just after each commit of a whole run in turn, or a step apart, unless the environment asks for all.
    const points = Array.from({ length: 120 }, (_, i) => `${1 + (i >> 1)}:${i % 2 === 0 ? 'before' : 'after'}`);
    const step = larger ? 1 : 5;
    let finished = false;
    let kills = 0;
    for (let i = 0; i < points.length && !finished; i += step) {
      const at = points[i];
      for (const file of ['log', 'left', 'right']) rmSync(join(project.root, file), { force: true });
      const before = (await project.entries()).length;
      const killed = project.start(['pipeline', 'run', name, '--yes'], {
        env: { KILL_AT: String(at) },
        nodeOptions: ['--import', new URL('../support/kill-at-commit.mjs', import.meta.url).href],
      });
      const { signal } = await killed.done;
      finished = signal !== 'SIGKILL';
      if (!finished) kills += 1;
      const entries = (await project.entries()).slice(before);
      const run = entries.find((entry) => entry.kind === 'run')?.run;
      if (run === undefined) continue;
      const ended = entries.some((entry) => entry.kind === 'run' && entry.body['step'] === 'ended');
      if (!ended) await must(project.agov('pipeline', 'resume', run, '--yes'));
      const all = (await project.entries()).slice(before).filter((entry) => entry.run === run);
      expect(stagesOf(all).sort(), `killed at commit ${at}`).toEqual(['first ok', 'last ok', 'left ok', 'right ok']);
      expect(unfinished(all), `killed at commit ${at}`).toEqual([]);
      checkEffects(all);
      expect((await project.agov('ledger', 'verify')).code).toBe(0);
    }
    expect(kills).toBeGreaterThan(2);
  }, 300_000);
});

/** Allowed intents without an outcome. */
function unfinished(entries: readonly Entry[]): string[] {
  const closed = new Set(entries.filter(({ kind }) => kind === 'outcome').map(({ parent }) => parent));
  const allowed = entries.filter(
    ({ kind, body }) => kind === 'intent' && (body['decision'] as { verdict: string }).verdict === 'allow',
  );
  return allowed.filter(({ id }) => !closed.has(id)).map(({ id }) => id);
}

/** An effect that is on record as done is never done again: at most one `ok` outcome a stage. */
function checkEffects(entries: readonly Entry[]): void {
  const log = readFileSync(join(project.root, 'log'), 'utf8').split('\n').filter(Boolean);
  for (const stage of ['first', 'last']) {
    const attempts = entries.filter(
      ({ kind, body }) => kind === 'stage' && body['step'] === 'started' && body['stage'] === stage,
    );
    const intents = entries.filter(({ kind, parent }) => kind === 'intent' && attempts.some(({ id }) => id === parent));
    const done = entries.filter(
      ({ kind, parent, body }) =>
        kind === 'outcome' && body['status'] === 'ok' && intents.some(({ id }) => id === parent),
    );
    expect(done).toHaveLength(1);
    expect(log.filter((line) => line === stage).length).toBeLessThanOrEqual(attempts.length);
  }
}

describe('agov pipeline validate', () => {
  const faulty: readonly [string, string, RegExp][] = [
    [
      'a cycle',
      `${head}  a: { agent: builder, needs: [b], run: x }\n  b: { agent: builder, needs: [a], run: x }\n`,
      /p\.yaml:5:\d+ .*a → b → a/,
    ],
    [
      'an unknown need',
      `${head}  build: { agent: builder, run: x }\n  test: { agent: builder, needs: [biuld], run: x }\n`,
      /p\.yaml:6:\d+ .*Did you mean "build"/,
    ],
    [
      'a missing agent',
      `${head}  a: { agent: bulider, run: x }\n`,
      /p\.yaml:5:\d+ There is no agent "bulider".*Did you mean "builder"/,
    ],
    ['an unknown key', `${head}  a: { agent: builder, run: x, nedes: [b] }\n`, /p\.yaml:5:\d+ .*Did you mean "needs"/],
    [
      'an unknown tool',
      `${head}  a: { agent: builder, uses: git.comit }\n`,
      /p\.yaml:5:\d+ There is no tool.*Did you mean "git.commit"/,
    ],
    [
      'a wrong argument',
      `${head}  a: { agent: builder, uses: git.commit, with: { mesage: x } }\n`,
      /p\.yaml:5:\d+ git\.commit/,
    ],
    ['neither run nor uses', `${head}  a: { agent: builder }\n`, /exactly one of "run", "uses" and "task"/],
    ['both', `${head}  a: { agent: builder, run: x, uses: git.commit }\n`, /exactly one of "run", "uses" and "task"/],
    [
      'a file kept of a command with secrets',
      `${head}  a: { agent: builder, run: x, secrets: { DB: dev/db }, artifacts: { f: f } }\n`,
      /p\.yaml:5:\d+ .*may write one into "f"/,
    ],
    ['a folder outside', `${head}  a: { agent: builder, run: x, workspace: ../.. }\n`, /inside the project/],
    ['broken YAML', `${head}  a: { agent: builder, run: x\n`, /p\.yaml:\d+:\d+ /],
    ['a tab', `${head}\ta: {}\n`, /p\.yaml:\d+:\d+ /],
    ['no stages', head.replace('stages:\n', 'stages: {}\n'), /at least one stage/],
    ['a wrong version', chain.replace('agov/v1', 'agov/v9'), /p\.yaml:1:\d+ /],
  ];
  it.each(someOf(faulty, 4))('finds %s', async (_what, text, message) => {
    const done = await project.agov('pipeline', 'validate', file(text));
    expect(done.code).toBe(1);
    expect(done.stdout).toMatch(message);
  });

  it('tells all faults at once', async () => {
    const text = `${head}  a: { agent: nobody, needs: [x], run: y }\n  b: { agent: builder, uses: nothing }\n`;
    const done = await project.agov('pipeline', 'validate', file(text), '--json');
    expect(JSON.parse(done.stdout).faults).toHaveLength(3);
  });

  it('refuses invalid UTF-8 and missing files in one sentence', async () => {
    mkdirSync(join(project.root, 'd'));
    writeFileSync(join(project.root, 'bad.yaml'), Buffer.from([0x61, 0xff, 0xfe]));
    appendFileSync(join(project.root, 'd', 'x'), '');
    expect((await project.agov('pipeline', 'validate', 'bad.yaml')).stderr).toContain('not valid UTF-8');
    expect((await project.agov('pipeline', 'validate', 'none.yaml')).code).toBe(66);
    expect((await project.agov('pipeline', 'validate', 'd')).code).toBe(66);
  });

  it('accepts what is right', async () => {
    expect((await project.agov('pipeline', 'validate', file(chain))).stdout).toContain('ok: test, 4 stages');
  });
});
