/** What every sandbox does, confining or not. Called by the tests of each kind with real processes. */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemEnv } from '../../kernel/index.ts';
import type { ExitStatus, Running, Sandbox, SandboxCommand, SandboxProfile } from './port.ts';
import { allProcesses } from './processes.ts';

export interface Finished extends ExitStatus {
  readonly stdout: string;
  readonly stderr: string;
}

export function newWorkspace(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'agov-sandbox-test-')));
}

export function profileFor(workspace: string, changes: Partial<SandboxProfile> = {}): SandboxProfile {
  const none = { hidden: [], protected: [], readOnly: [], readWrite: [], network: { mode: 'none' } } as const;
  return { workspace, access: 'read-write', ...none, ...changes };
}

/** Runs a shell line to its end. */
export async function sh(sandbox: Sandbox, profile: SandboxProfile, line: string): Promise<Finished> {
  return run(sandbox, { argv: ['/bin/sh', '-c', line], env: {}, stdin: 'none', profile });
}

export async function run(sandbox: Sandbox, command: SandboxCommand): Promise<Finished> {
  const running = await sandbox.start(command);
  const [stdout, stderr, exit] = await Promise.all([text(running.stdout), text(running.stderr), running.exit]);
  return { ...exit, stdout, stderr };
}

/** Resolves when the command has written `word`. */
export async function says(running: Running, word: string): Promise<void> {
  running.stdout.setEncoding('utf8');
  let heard = '';
  for await (const chunk of running.stdout.iterator({ destroyOnReturn: false })) {
    heard += chunk;
    if (heard.includes(word)) return;
  }
  throw new Error(`The command ended without saying ${word}; it said: ${heard}`);
}

/** Host processes whose command line holds `mark`. */
export function alive(mark: string): readonly number[] {
  return allProcesses()
    .filter(({ pid, zombie }) => {
      try {
        return !zombie && pid !== process.pid && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(mark);
      } catch {
        return false;
      }
    })
    .map(({ pid }) => pid);
}

export async function eventually(test: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await test()); tries++) {
    if (tries > 500) throw new Error('It did not come true in five seconds.');
    await pause(10);
  }
}

export function describeSandbox(name: string, create: () => Sandbox): void {
  describe(`${name} as a sandbox`, () => {
    let workspace = '';
    let sandbox: Sandbox;
    beforeEach(() => {
      workspace = newWorkspace();
      sandbox = create();
    });
    afterEach(() => rmSync(workspace, { recursive: true, force: true }));

    const start = (argv: readonly [string, ...string[]], changes: Partial<SandboxCommand> = {}): Promise<Running> =>
      sandbox.start({ argv, env: {}, stdin: 'none', profile: profileFor(workspace), ...changes });
    const line = (script: string, changes: Partial<SandboxCommand> = {}): Promise<Finished> =>
      run(sandbox, { argv: ['sh', '-c', script], env: {}, stdin: 'none', profile: profileFor(workspace), ...changes });

    it('is healthy', async () => {
      expect(await sandbox.health()).toMatchObject({ ok: true });
    });

    it('keeps the two streams apart and passes the exit code', async () => {
      expect(await line('echo out; echo err >&2; exit 7')).toMatchObject({
        stdout: 'out\n',
        stderr: 'err\n',
        code: 7,
        signal: undefined,
      });
    });

    it('loses nothing of a large output, also when it is read late', async () => {
      const running = await start(['sh', '-c', 'head -c 3000000 /dev/zero; echo late >&2']);
      const stderr = text(running.stderr);
      await pause(50);
      expect((await running.stdout.toArray()).reduce((sum, chunk) => sum + chunk.length, 0)).toBe(3_000_000);
      expect(await stderr).toBe('late\n');
      expect(await running.exit).toMatchObject({ code: 0 });
    });

    it('keeps the output of a command that ends before anybody reads', async () => {
      const running = await start(['echo', 'early']);
      await eventually(async () => !running.signal('SIGCONT'));
      expect(await text(running.stdout)).toBe('early\n');
    });

    it('passes arguments as they are', async () => {
      const argv = ['printf', '%s|', '', ' a  b ', '$HOME', '--', '*', '\n', '"', 'é'] as const;
      expect((await run(sandbox, { argv, env: {}, stdin: 'none', profile: profileFor(workspace) })).stdout).toBe(
        '| a  b |$HOME|--|*|\n|"|é|',
      );
    });

    it('gives the command its variables and none of ours', async () => {
      process.env['AGOV_TEST_OURS'] = 'ours';
      const { stdout } = await line('env', { env: { GIVEN: 'a=b\nc', EMPTY: '' } });
      delete process.env['AGOV_TEST_OURS'];
      expect(stdout).toContain('GIVEN=a=b\nc\n');
      expect(stdout).toContain('EMPTY=\n');
      expect(stdout).toMatch(/^PATH=\//m);
      expect(stdout).toMatch(/^HOME=\//m);
      expect(stdout).toMatch(/^TMPDIR=\//m);
      expect(stdout).toMatch(/^LANG=/m);
      expect(stdout).not.toContain('AGOV_TEST_OURS');
    });

    it('runs in the workspace, or in the folder of it that was named', async () => {
      mkdirSync(join(workspace, 'sub'));
      expect((await line('pwd')).stdout).toBe(`${workspace}\n`);
      expect((await line('pwd', { cwd: join(workspace, 'sub') })).stdout).toBe(`${workspace}/sub\n`);
    });

    it('refuses a workspace that is no folder, and a folder outside of it, also by a link', async () => {
      writeFileSync(join(workspace, 'file'), '');
      symlinkSync('/usr', join(workspace, 'link'));
      const invalid = { code: 'WORKSPACE_INVALID' };
      await expect(start(['true'], { profile: profileFor(join(workspace, 'missing')) })).rejects.toMatchObject(invalid);
      await expect(start(['true'], { profile: profileFor(join(workspace, 'file')) })).rejects.toMatchObject(invalid);
      await expect(start(['true'], { cwd: '/usr' })).rejects.toMatchObject(invalid);
      await expect(start(['true'], { cwd: join(workspace, 'link') })).rejects.toMatchObject(invalid);
      await expect(start(['true'], { cwd: join(workspace, '..') })).rejects.toMatchObject(invalid);
    });

    it('refuses NUL bytes, malformed names and what is too long for the system', async () => {
      const invalid = { code: 'INPUT_INVALID' };
      await expect(start(['true', 'a\0b'])).rejects.toMatchObject(invalid);
      await expect(start(['true'], { env: { A: 'a\0b' } })).rejects.toMatchObject(invalid);
      await expect(start(['true'], { env: { 'A=B': 'c' } })).rejects.toMatchObject(invalid);
      await expect(start([''])).rejects.toMatchObject(invalid);
      await expect(start(['true', 'x'.repeat(5_000_000)])).rejects.toMatchObject(invalid);
      await expect(start(['true'], { profile: profileFor(workspace, { hidden: ['relative'] }) })).rejects.toMatchObject(
        invalid,
      );
    });

    it('tells a command that does not exist from one that ends with 127', async () => {
      const missing = await start(['agov-no-such-command']);
      missing.stdout.resume();
      const complaint = text(missing.stderr);
      await expect(missing.exit).rejects.toMatchObject({ code: 'COMMAND_NOT_FOUND' });
      expect(await complaint).toBe('');
      const own = 'echo "bwrap: execvp sh: No such file or directory" >&2; exit';
      expect(await line(`${own} 127`)).toMatchObject({ code: 127 });
      expect(await line(`${own} 1`)).toMatchObject({ code: 1, stderr: expect.stringContaining('execvp') });
    });

    it('locates a program as the command would', async () => {
      writeFileSync(join(workspace, 'own'), '#!/bin/sh\necho own\n', { mode: 0o755 });
      expect(sandbox.locate('./own', workspace)).toBe(join(workspace, 'own'));
      for (const name of ['env', 'node', 'sh']) {
        expect((await line(`command -v ${name}`)).stdout).toBe(`${sandbox.locate(name, workspace)}\n`);
      }
      expect(sandbox.locate('agov-no-such-command', workspace)).toBeUndefined();
      expect(sandbox.locate('own', workspace)).toBeUndefined();
    });

    it('names what exists and cannot be executed', async () => {
      writeFileSync(join(workspace, 'data'), 'x', { mode: 0o644 });
      const running = await start([join(workspace, 'data')]);
      running.stdout.resume();
      running.stderr.resume();
      await expect(running.exit).rejects.toMatchObject({ code: 'COMMAND_NOT_EXECUTABLE' });
    });

    it('reports a signal that ended the command', async () => {
      expect(await line('kill -USR1 $$')).toMatchObject({ code: 138, signal: 'SIGUSR1' });
    });

    it('reads what is piped in, and nothing where there is none', async () => {
      const running = await start(['cat'], { stdin: 'pipe' });
      running.stdin?.end('hello');
      expect(await text(running.stdout)).toBe('hello');
      running.stderr.resume();
      expect(await running.exit).toMatchObject({ code: 0 });
      expect((await line('cat; echo end')).stdout).toBe('end\n');
    });

    it('passes a signal on to the command and to what it started', async () => {
      const script = `trap 'echo parent' TERM; sh -c 'trap "echo child; exit" TERM; echo ready; while :; do sleep 0.05; done'; wait; exit 3`;
      const running = await start(['sh', '-c', script]);
      await says(running, 'ready');
      expect(running.signal('SIGTERM')).toBe(true);
      const rest = await text(running.stdout);
      expect(rest).toContain('child');
      expect(rest).toContain('parent');
      running.stderr.resume();
      expect(await running.exit).toMatchObject({ code: 3 });
      expect(running.signal('SIGTERM')).toBe(false);
    });

    it('does not lose a signal that comes before the command has begun', async () => {
      const running = await start(['sleep', '60']);
      expect(running.signal('SIGTERM')).toBe(true);
      running.stdout.resume();
      running.stderr.resume();
      expect(await running.exit).toMatchObject({ code: 143, signal: 'SIGTERM' });
    });

    it('kills what ignores every signal, and says how long it took', async () => {
      const running = await start(['sh', '-c', 'trap "" TERM INT HUP; echo ready; while :; do sleep 1; done']);
      await says(running, 'ready');
      running.signal('SIGTERM');
      const took = await running.kill();
      expect(took).toBeGreaterThan(0);
      expect(took).toBeLessThan(2_000);
      running.stdout.resume();
      running.stderr.resume();
      expect(await running.exit).toMatchObject({ code: 137, signal: 'SIGKILL' });
      expect(await running.kill()).toBeGreaterThanOrEqual(0);
      expect(running.signal('SIGTERM')).toBe(false);
    });

    const daemon = (mark: string, then: string): string =>
      `setsid nohup sh -c 'exec sleep 7${mark}' & setsid sh -c '(sleep 8${mark} &) ; exit' ; echo ready; ${then}`;

    it('leaves no daemon behind when the command ends, and no stream open', async () => {
      const mark = `7.${systemEnv().monotonic()}`.replaceAll('.', '');
      const done = await line(daemon(mark, 'exit 4'));
      expect(done).toMatchObject({ code: 4, stdout: 'ready\n' });
      expect(alive(mark)).toEqual([]);
    });

    it('leaves no daemon behind when it is killed', async () => {
      const mark = `7.${systemEnv().monotonic()}`.replaceAll('.', '');
      const running = await start(['sh', '-c', daemon(mark, 'sleep 60')]);
      await says(running, 'ready');
      await running.kill();
      expect(alive(mark)).toEqual([]);
    });
  });
}
