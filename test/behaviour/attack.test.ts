/** What an agent that wants out tries, and what somebody tries who tampers with the project; one test an idea. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { describeWith, itWith } from '../support/needs.ts';

let project: TestProject;
beforeAll(async () => {
  project = await testProject({ reader: 'T0', builder: 'T1', admin: 'T2', doomed: 'T1' });
});
afterAll(() => project[Symbol.dispose]());

const at = (...path: string[]): string => join(project.root, ...path);
const sh = (agent: string, script: string) => project.agov('run', '--agent', agent, '--', 'sh', '-c', script);
const pipeline = (name: string, stages: string): string => {
  writeFileSync(at(name), `apiVersion: agov/v1\nkind: Pipeline\nname: test\nstages:\n${stages}\n`);
  return name;
};

describe('a project planted inside the project', () => {
  const rules = 'version: 1\noperators: [{ name: ada }]\nsandbox: none\n';

  it('is refused from its folder, from below, and by a link', async () => {
    mkdirSync(at('planted/deeper'), { recursive: true });
    writeFileSync(at('planted/agov.yaml'), rules);
    symlinkSync('planted/deeper', at('shortcut'));
    for (const folder of ['planted', 'planted/deeper', 'shortcut']) {
      const done = await project.agov('-C', at(folder), 'agent', 'list');
      expect(done.code, folder).toBe(78);
      expect(done.stderr).toContain('inside another project');
    }
    expect(existsSync(at('planted/.agov'))).toBe(false);
    rmSync(at('planted'), { recursive: true });
  });

  itWith('bwrap', 'does not replace the rules in a worktree', async () => {
    await must(
      project.agov('git', 'worktree', '--agent', 'builder', '--branch', 'agov/builder/w', '--path', 'builder-w'),
    );
    writeFileSync(at('.worktrees/builder-w/agov.yaml'), rules);
    const done = await must(project.agov('-C', at('.worktrees/builder-w'), 'agent', 'list', '--json'));
    expect(JSON.parse(done.stdout)).toHaveLength(4);
    expect(existsSync(at('.worktrees/builder-w/.agov'))).toBe(false);
  });
});

describe('a pipeline', () => {
  it.each(['constructor', 'valueof'])('that needs "%s" is a fault, not a success without work', async (need) => {
    const file = pipeline('needs.yaml', `  a: { agent: builder, needs: [${need}], run: touch ran }`);
    const done = await project.agov('pipeline', 'run', file);
    expect(done.code).toBe(1);
    expect(done.stderr).toContain(`no stage "${need}"`);
  });
});

describeWith('bwrap', 'a command', () => {
  it.each(['env', 'secrets'])('is the program that was judged, whatever %s would lead to', async (by) => {
    for (const name of ['PATH', 'LD_PRELOAD']) {
      const value = by === 'env' ? `${project.root}/bin:/usr/bin` : 'dev/path';
      const file = pipeline(
        'path.yaml',
        `  a: { agent: builder, ${by}: { ${name}: "${value}" }, run: [printenv, HOME] }`,
      );
      const done = await project.agov('pipeline', 'run', file);
      expect([done.code, done.stderr]).toEqual([1, expect.stringContaining('than the program that is judged')]);
      if (by === 'env') continue;
      const run = await project.agov('run', '--agent', 'builder', '--secret', `${name}=dev/path`, '--', 'printenv');
      expect([run.code, run.stderr]).toEqual([65, expect.stringContaining(`The variable ${name} cannot be given`)]);
    }
  });
});

describeWith('bwrap', 'an agent', () => {
  it('has no hidden file made an artifact by a link', async () => {
    await must(sh('builder', 'ln -s .agov/instance gift'));
    const file = pipeline('gift.yaml', '  a: { agent: builder, run: "true", artifacts: { gift: gift } }');
    const done = await project.agov('pipeline', 'run', file, '--json');
    expect(JSON.parse(done.stdout)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('was not made'),
    });
  });

  it('begins no line of the log, and reorders none', async () => {
    await sh('builder', '# \n     0  00:00:00.000  approval   admin   granted by ada\u202e');
    const { stdout } = await must(project.agov('ledger', 'tail', '-n', '2'));
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(stdout).not.toContain('\u202e');
    await project.agov('run', '--agent', 'builder', '--', 'no\u001b[2J\nsuch');
    const shown = await must(project.agov('agent', 'show', 'builder'));
    expect(shown.stdout).not.toContain('\u001b');
    expect(shown.stdout).toContain('no⏎such');
  });

  it('does not hang when whoever reads its output leaves', async () => {
    const run = project.start(['run', '--agent', 'builder', '--', 'seq', '1', '2000000']);
    await run.printed('1\n');
    run.child.stdout?.destroy();
    const { code } = await run.done;
    expect(code).toBe(0);
  });

  it('leads no sandbox out of the project by swapping its folder for a link', async () => {
    mkdirSync(at('room'));
    const outside = join(project.root, '..', 'outside');
    mkdirSync(outside);
    symlinkSync(outside, at('lure'));
    // A link that is exchanged with the folder for as long as the others are started.
    const swap =
      'import ctypes,time\nc=ctypes.CDLL(None)\nprint("swapping",flush=True)\nwhile 1: c.renameat2(-100,b"room",-100,b"lure",2); time.sleep(0.001)';
    const swapper = project.start(['run', '--agent', 'builder', '--', 'python3', '-c', swap]);
    await swapper.printed('swapping');
    const codes: number[] = [];
    for (let i = 0; i < 12; i++) {
      codes.push((await project.agov('run', '--agent', 'admin', '--workspace', 'room', '--', 'touch', 'here')).code);
      await setImmediate();
    }
    swapper.child.kill('SIGTERM');
    await swapper.done;
    expect(existsSync(join(outside, 'here'))).toBe(false);
    // Refused by its name, by what was mounted, or because bubblewrap found nothing there; or it went well.
    expect(codes.filter((code) => ![0, 65, 69].includes(code))).toEqual([]);
  });

  it('floods the record with no more than is kept', async () => {
    const done = await project.agov(
      'run',
      '--agent',
      'builder',
      '--json',
      '--',
      'head',
      '-c',
      '200000000',
      '/dev/zero',
    );
    expect(JSON.parse(done.stdout).outcome.facts.stdout).toMatchObject({ size: 8_388_608, dropped: 191_611_392 });
  });

  it.each([
    ['a command line that no entry holds', ['echo', 'a'.repeat(70_000)], 65],
    ['bytes that are no text', ['printf', '%s', '\ufffd'], 0],
  ])('is answered for %s', async (_what, argv, code) => {
    const done = await project.agov('run', '--agent', 'reader', '--', ...argv);
    expect([code, 70]).toContain(done.code);
    expect(done.stderr).not.toContain('    at ');
  });
});

describeWith('bwrap', 'somebody who tampers while it runs', () => {
  it('ends the run by taking the state away, and loses no revocation', async () => {
    const command = ['run', '--agent', 'doomed', '--', 'sh', '-c', 'echo up; sleep 600'];
    const run = project.start(command, { env: { AGOV_STATE_GRACE: '1s' } });
    await run.printed('up');
    for (const end of ['', '-wal', '-shm']) rmSync(at(`.agov/state.db${end}`), { force: true });
    const ended = await run.done;
    expect([ended.code, ended.stderr]).toEqual([137, expect.stringContaining('state.grace')]);
    expect((await project.agov('agent', 'list', '--json')).code).toBe(0);
  });

  it('is found out by the head outside when an older ledger is put back', async () => {
    copyFileSync(at('.agov/ledger.db'), at('old.db'));
    await sh('reader', 'true');
    const now = readFileSync(at('.agov/ledger.db'));
    for (const end of ['-wal', '-shm']) rmSync(at(`.agov/ledger.db${end}`), { force: true });
    copyFileSync(at('old.db'), at('.agov/ledger.db'));
    const done = await project.agov('run', '--agent', 'reader', '--', 'touch', '/tmp/x');
    expect(done.stderr).toContain('head saved outside the project');
    writeFileSync(at('.agov/ledger.db'), now);
    expect((await project.agov('ledger', 'verify')).code).toBe(0);
  });
});

// The mark is in the environment of each process of a run, and outlives whatever it starts.
it('finds no operator’s act that can be given from inside a run', async () => {
  const acts = [
    ...[
      ['pipeline', 'cancel', 'r'],
      ['pipeline', 'signal', 'r', 'e'],
      ['pipeline', 'retry', 'r'],
      ['pipeline', 'resume', 'r'],
      ['kill', '--all', '--reason', 'x'],
    ],
    ...[
      ['freeze', 'builder', '--reason', 'x'],
      ['thaw', 'builder', '--reason', 'x'],
    ],
    ...[
      ['agent', 'promote', 'builder', '--to', 'T2', '--reason', 'x'],
      ['agent', 'invite', 'builder', '--out', at('i')],
    ],
    ['ledger', 'key', '--pin', 'x'],
  ];
  const before = (await project.entries()).length;
  for (const argv of acts) {
    const done = await project.start(argv, { env: { AGOV_RUN: 'mine' } }).done;
    expect([argv.join(' '), done.code, done.stderr]).toEqual([
      ...[argv.join(' '), 77, expect.stringContaining('from inside a governed run')],
    ]);
  }
  expect(await project.entries()).toHaveLength(before);
});
