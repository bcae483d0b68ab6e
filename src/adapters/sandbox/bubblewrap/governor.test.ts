/** What depends on who the governor is: one that is killed, an ordinary user, one that may not make namespaces. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.ts';
import { systemEnv } from '../../../kernel/index.ts';
import { alive, eventually, newWorkspace, profileFor, run } from '../contract.ts';
import { bubblewrapSandbox } from './index.ts';
import { endOrphans, signature } from './orphans.ts';

describeWith('bwrap', 'bubblewrap and its governor', () => {
  const repository = join(import.meta.dirname, '../../../..');
  const fixture = join(repository, 'test/support/sandbox-governor.ts');
  let workspace = '';
  beforeEach(() => {
    workspace = newWorkspace();
  });
  afterEach(() => rmSync(workspace, { recursive: true, force: true }));

  describe.each(['bubblewrap', 'none'])('a governor with the sandbox %s', (kind) => {
    it('takes the command along when it is killed outright', async () => {
      const mark = `6${Math.round(systemEnv().monotonic() * 1000)}`;
      // Without a sandbox only the command itself is bound to the governor.
      const script = kind === 'none' ? `exec sleep ${mark}` : `setsid nohup sleep ${mark} & echo on; sleep ${mark}1`;
      const governor = spawn(process.execPath, [fixture, kind, workspace, '/bin/sh', '-c', script], {
        stdio: 'ignore',
      });
      const sleeping = (): number => alive(`sleep\0${mark}`).length;
      await eventually(async () => sleeping() === (kind === 'none' ? 1 : 2));
      governor.kill('SIGKILL');
      await eventually(async () => sleeping() === 0);
      expect(sleeping()).toBe(0);
    });
  });

  describe('what a governor left that was killed while bubblewrap set up', () => {
    async function orphan(mark: string, signedBy: string): Promise<void> {
      const basic = [
        '--unshare-all',
        '--unshare-user',
        '--uid',
        '1000',
        '--ro-bind',
        '/',
        '/',
        '--json-status-fd',
        '3',
      ];
      const args = [...basic, '--chmod', '0555', signedBy, '--setenv', 'MARK', mark, '--', 'true'];
      // Writing to a channel without a reader ends bubblewrap at that very moment, as the governor's death would.
      const child = spawn('bwrap', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
      child.stdio[3]?.destroy();
      await once(child, 'exit');
    }

    it('stays until it is looked for', async () => {
      // With a signature of its own, so that no other governor on this machine finds it first.
      const own = `/run/agov-test-${process.pid}`;
      // Only bubblewrap that dies early enough leaves its process 1 behind: whether it did is the scheduler's choice.
      for (let tries = 0; tries < 50 && alive(own).length === 0; tries++) await orphan(own, own);
      expect(alive(own)).toHaveLength(1);
      endOrphans(own);
      await eventually(async () => alive(own).length === 0);
    });

    it('is ended by the next governor that uses the sandbox', async () => {
      const mark = `agov-orphan-${process.pid}`;
      await orphan(mark, signature);
      await bubblewrapSandbox({ env: systemEnv() }).health();
      await eventually(async () => alive(mark).length === 0);
    });
  });

  it('passes no inherited descriptor on, however high its number', () => {
    writeFileSync(join(workspace, 'secret'), 'TOP-SECRET');
    const stdio: (number | 'ignore' | 'pipe')[] = ['ignore', 'pipe', 'pipe'];
    while (stdio.length < 90) stdio.push('ignore');
    stdio.push(openSync(join(workspace, 'secret'), 'r'));
    const args = [fixture, 'bubblewrap', workspace, '/bin/sh', '-c', 'cat /proc/self/fd/90; readlink /proc/self/fd/90'];
    const { stdout, status } = spawnSync(process.execPath, args, { stdio, encoding: 'utf8' });
    expect({ stdout, status }).toEqual({ stdout: '/dev/null\n', status: 0 });
  });

  const root = process.getuid?.() === 0;
  it.skipIf(!root)('works for an ordinary user, whose processes are bounded (run by root, to become one)', () => {
    chmodSync(workspace, 0o700);
    chownSync(workspace, 65534, 65534);
    const script = `id -u; echo x > new; echo x > .agov/x; echo x > agov.yaml; for i in $(seq 300); do sleep 5 & done; echo done`;
    // The sandbox never raises the user's own limit, and a low one is cheap to reach.
    const bounded = ['--nproc=200', '--', process.execPath];
    const { stdout, stderr } = spawnSync(
      'prlimit',
      [...bounded, fixture, 'bubblewrap', workspace, '/bin/sh', '-c', script],
      {
        encoding: 'utf8',
        uid: 65534,
        gid: 65534,
        env: { PATH: '/usr/bin:/bin' },
      },
    );
    expect(stdout, stderr).toMatch(/^1000\n/);
    expect(stderr).toContain('Read-only file system');
    expect(stderr).toContain('Cannot fork');
    expect(stdout).not.toContain('done');
    expect(readFileSync(join(workspace, 'new'), 'utf8')).toBe('x\n');
  });

  describe('a machine on which bubblewrap cannot work', () => {
    it('is told which package is missing', async () => {
      const sandbox = bubblewrapSandbox({ env: systemEnv(), program: 'agov-no-bwrap' });
      const started = sandbox.start({ argv: ['true'], env: {}, stdin: 'none', profile: profileFor(workspace) });
      await expect(started).rejects.toMatchObject({
        code: 'SANDBOX_MISSING',
        fix: expect.stringContaining('apt-get install'),
      });
      expect(await sandbox.health()).toMatchObject({ ok: false, detail: expect.stringContaining('apt-get install') });
    });

    it('says its version where it can', async () => {
      const sandbox = bubblewrapSandbox({ env: systemEnv() });
      expect(await sandbox.health()).toEqual({ ok: true, detail: expect.stringMatching(/^bubblewrap \d/) });
    });

    it('is told when it is user namespaces that are missing', async () => {
      // Inside our own sandbox no further namespace may be made, which is just such a machine.
      const result = await run(bubblewrapSandbox({ env: systemEnv() }), {
        argv: ['node', fixture, 'bubblewrap', workspace, 'true'],
        env: {},
        stdin: 'none',
        profile: profileFor(workspace, { readOnly: [repository] }),
      });
      expect(result.code, result.stderr).toBe(99);
      expect(JSON.parse(result.stderr)).toMatchObject({
        code: 'SANDBOX_MISSING',
        what: expect.stringContaining('user namespaces'),
        fix: expect.stringMatching(/sysctl|max_user_namespaces/),
      });
    });
  });
});
