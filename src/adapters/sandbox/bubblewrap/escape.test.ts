/** Attempts to get out, each of which worked somewhere once. They run for real, as whoever runs the tests. */
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.ts';
import { systemEnv } from '../../../kernel/index.ts';
import { type Finished, newWorkspace, profileFor, sh } from '../contract.ts';
import type { SandboxProfile } from '../port.ts';
import { bubblewrapSandbox } from './index.ts';

describeWith('bwrap', 'an agent in bubblewrap that wants out', () => {
  const sandbox = bubblewrapSandbox({ env: systemEnv() });
  let workspace = '';
  let outside = '';
  const at = (...parts: string[]): string => join(workspace, ...parts);
  const attempt = (line: string, changes: Partial<SandboxProfile> = {}): Promise<Finished> =>
    sh(sandbox, profileFor(workspace, changes), line);

  beforeEach(() => {
    workspace = newWorkspace();
    outside = realpathSync(mkdtempSync(join(tmpdir(), 'agov-outside-')));
    writeFileSync(join(outside, 'secret'), 'TOP-SECRET');
  });
  afterEach(() => {
    rmSync(workspace, { recursive: true, force: true });
    rmSync(outside, { recursive: true, force: true });
  });

  describe('the file system', () => {
    it('lets nothing be written to a read-only workspace', async () => {
      writeFileSync(at('file'), 'as it was');
      const line = 'echo x > new; echo x >> file; rm -f file; mkdir d; mv file g; chmod 777 file; touch file; cat file';
      expect((await attempt(line, { access: 'read-only' })).stdout).toBe('as it was');
      expect(readdirSync(workspace)).toEqual(['file']);
      expect(readFileSync(at('file'), 'utf8')).toBe('as it was');
    });

    it('lets a writable workspace be written, and nothing else of the host', async () => {
      const line = `echo x > new; echo x > ${outside}/new; echo x > /usr/agov-test; echo x > /etc/agov-test;
      echo x > /agov-test; echo x > /opt/agov/bin/node; mkdir -p ${outside} && echo x > ${outside}/new; echo done`;
      expect((await attempt(line)).stdout).toBe('done\n');
      expect(readdirSync(workspace)).toEqual(['new']);
      expect(readdirSync(outside)).toEqual(['secret']);
      for (const path of ['/usr/agov-test', '/etc/agov-test', '/agov-test']) expect(existsSync(path)).toBe(false);
    });

    it('shows nothing of the host but what it must', async () => {
      const line = `cat ${outside}/secret /etc/shadow /etc/machine-id /root/.bashrc; ls -A /home/agov /tmp /root /var /run /sys; hostname; cat /proc/sys/kernel/hostname`;
      const { stdout } = await attempt(line);
      expect(stdout).not.toContain('TOP-SECRET');
      expect(stdout.endsWith('agov\nagov\n')).toBe(true);
      expect(stdout).not.toContain('root:');
    });

    it('hides folders and files, there or not, from reading and from writing', async () => {
      mkdirSync(at('.agov', 'keys'), { recursive: true });
      writeFileSync(at('.agov', 'keys', 'k'), 'TOP-SECRET');
      writeFileSync(at('.env'), 'TOP-SECRET');
      const hidden = [at('.agov'), at('.env'), at('later')];
      for (const access of ['read-only', 'read-write'] as const) {
        const line = `find .agov .env later; cat .agov/keys/k .env; cat < .env; echo x > .agov/new; echo x > .env; echo x > later/x;
        chmod -R 777 .agov .env; rm -rf .agov .env later; mv .agov moved; mv .env moved; rmdir later; umount .agov; umount -l .env`;
        const { stdout } = await attempt(line, { access, hidden });
        expect(stdout).toBe('.agov\n.env\nlater\n');
      }
      expect(readFileSync(at('.env'), 'utf8')).toBe('TOP-SECRET');
      expect(readdirSync(at('.agov'))).toEqual(['keys']);
      expect(readdirSync(at('later'))).toEqual([]);
    });

    it('hides what another listed path would show under another name', async () => {
      mkdirSync(join(outside, 'keys'));
      writeFileSync(join(outside, 'keys', 'k'), 'TOP-SECRET');
      symlinkSync(outside, at('alias'));
      const other = newWorkspace();
      symlinkSync(outside, join(other, 'alias'));
      const readOnly = [join(other, 'alias'), outside, join(outside, 'keys'), join(outside, 'keys', 'k')];
      const line = `cat ${other}/alias/keys/k ${outside}/keys/k alias/keys/k; ls -A ${other}/alias`;
      const { stdout } = await attempt(line, { readOnly, hidden: [join(outside, 'keys')] });
      rmSync(other, { recursive: true });
      expect(stdout).toBe('keys\nsecret\n');
    });

    it('follows no link from the workspace to what is hidden or outside', async () => {
      mkdirSync(at('.agov'));
      writeFileSync(at('.agov', 'k'), 'TOP-SECRET');
      const line = `ln -s .agov a; ln -s ${outside} o; ln -s /proc/1/root${outside} p; cat a/k o/secret p/secret; ln .agov/k hard; cat hard`;
      expect((await attempt(line, { hidden: [at('.agov')] })).stdout).toBe('');
    });

    it('refuses a guarded path behind a link that the command could replace', async () => {
      mkdirSync(at('real'));
      symlinkSync('real', at('.claude'));
      const invalid = { code: 'WORKSPACE_INVALID' };
      await expect(attempt('true', { protected: [at('.claude', 'settings.json')] })).rejects.toMatchObject(invalid);
      await expect(attempt('true', { hidden: [at('.claude')] })).rejects.toMatchObject(invalid);
      expect(await attempt('true', { access: 'read-only', hidden: [at('.claude')] })).toMatchObject({ code: 0 });
    });

    it('refuses a workspace inside a hidden path, and system folders as workspace', async () => {
      const invalid = { code: 'WORKSPACE_INVALID' };
      await expect(attempt('true', { hidden: [workspace] })).rejects.toMatchObject(invalid);
      await expect(attempt('true', { hidden: [join(workspace, '..')] })).rejects.toMatchObject(invalid);
      for (const folder of ['/', '/proc', '/usr', '/etc', '/dev']) {
        await expect(sh(sandbox, profileFor(folder), 'true')).rejects.toMatchObject(invalid);
      }
    });

    it('keeps protected files as they are, whatever is done to them or to the folders above', async () => {
      mkdirSync(at('.claude', 'hooks'), { recursive: true });
      writeFileSync(at('.claude', 'hooks', 'guard.json'), 'as it was');
      writeFileSync(at('agov.yaml'), 'as it was');
      linkSync(at('agov.yaml'), join(outside, 'host-link'));
      const line = `cat agov.yaml .claude/hooks/guard.json
      for f in agov.yaml .claude/hooks/guard.json; do echo x > $f; echo x >> $f; rm -f $f; mv $f moved; ln $f hard; cp /dev/null $f;
      chmod 777 $f; ln -sf /dev/null $f; done
      echo y > z; mv z agov.yaml; mv -T z .claude/hooks/guard.json
      mv .claude other; mv .claude/hooks other; rm -rf .claude; rmdir .claude/hooks; mkdir -p n/hooks; mv -T n .claude
      ln -s n .claude; mv .. /tmp/elsewhere; echo ok > .claude/hooks/new; echo ok > .claude/new`;
      const { stdout } = await attempt(line, { protected: [at('agov.yaml'), at('.claude', 'hooks', 'guard.json')] });
      expect(stdout).toBe('as it wasas it was');
      expect(readFileSync(at('agov.yaml'), 'utf8')).toBe('as it was');
      expect(readFileSync(at('.claude', 'hooks', 'guard.json'), 'utf8')).toBe('as it was');
      expect(existsSync(at('hard'))).toBe(false);
      // What is not protected stays writable.
      expect(readFileSync(at('.claude', 'hooks', 'new'), 'utf8')).toBe('ok\n');
      expect(readFileSync(at('.claude', 'new'), 'utf8')).toBe('ok\n');
    });

    it('lets no protected path come into being, the first time and the next', async () => {
      const paths = [at('agov.yaml'), at('.claude', 'settings.json'), at('.claude', 'hooks'), at('deep', 'a', 'b')];
      const line = `mkdir -p .claude deep/a; echo x > agov.yaml; echo x > .claude/settings.json; mkdir .claude/hooks; echo x > deep/a/b;
      rm -rf agov.yaml .claude deep; rmdir agov.yaml .claude deep; mv .claude c; ln -s /tmp .claude; mkdir t; echo x > t/settings.json; mv -T t .claude; cat agov.yaml/* .claude/* deep/a/b`;
      for (const _ of [1, 2]) {
        expect((await attempt(line, { protected: paths })).stdout).toBe('');
        expect(readdirSync(workspace).sort()).toEqual(['.claude', 'agov.yaml', 'deep', 't']);
        for (const name of ['.claude', 'agov.yaml', 'deep']) expect(readdirSync(at(name))).toEqual([]);
      }
    });

    it('keeps a protected path read-only although it is listed as writable', async () => {
      mkdirSync(at('policies', 'own'), { recursive: true });
      const changes = { protected: [at('policies')], readWrite: [at('policies', 'own'), outside] };
      await attempt(`echo x > policies/own/x; echo x > policies/x; echo x > ${outside}/x`, changes);
      expect(readdirSync(at('policies', 'own'))).toEqual([]);
      expect(existsSync(join(outside, 'x'))).toBe(true);
    });
  });

  describe('the kernel', () => {
    it('mounts, remounts and unmounts nothing, in no new namespace either', async () => {
      const line = `mkdir m; mount -o remount,rw /usr && echo out1; mount -t tmpfs none m && echo out2; mount --bind /usr m && echo out3
      umount /proc && echo out4; mount -o remount,rw /proc && echo out5
      unshare -U true && echo out6; unshare -Urm mount -o remount,rw /usr && echo out7; unshare -m true && echo out8
      nsenter -t 1 -m true && echo out9; nsenter -t 1 -U true && echo out10; chroot / true && echo out11; echo end`;
      expect((await attempt(line)).stdout).toBe('end\n');
    });

    it('has no capability, gains none, and makes no device', async () => {
      const line = `grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status; mknod d b 8 0 && echo made; mknod c c 1 1 && echo made; ls d c; su -c id </dev/null && echo su`;
      const { stdout } = await attempt(line);
      const none = '0000000000000000';
      const sets = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((set) => `${set}:\t${none}\n`).join('');
      expect(stdout).toBe(`${sets}NoNewPrivs:\t1\nSeccomp:\t2\n`);
    });

    it('writes no kernel setting, although the governor may be root', async () => {
      const before = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
      const line = `(echo '|/bin/false' > /proc/sys/kernel/core_pattern) && echo out1; (echo h > /proc/sysrq-trigger) && echo out2
      (: >> /proc/1/mem) && echo out3; (echo 1 > /proc/self/oom_score_adj) && echo out4; (echo x > /sys/kernel/uevent_helper) && echo out5; echo end`;
      expect((await attempt(line)).stdout).toBe('end\n');
      expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(before);
    });

    it('sees and signals no process of the host', async () => {
      const line = `kill -0 ${process.pid} && echo out1; ls -d /proc/${process.pid} && echo out2; ls /proc/1/root/home/agov && cat /proc/1/root${outside}/secret && echo out3
      cat /proc/*/environ | tr '\\0' '\\n' | grep AGOV_TEST_HOST; kill -9 -1; ls -d /proc/[0-9]* | wc -l`;
      process.env['AGOV_TEST_HOST'] = 'host';
      const { stdout } = await attempt(line);
      delete process.env['AGOV_TEST_HOST'];
      expect(Number(stdout.trim())).toBeLessThan(8);
    });

    it('tells nobody its variables through a command line', async () => {
      const running = await sandbox.start({
        argv: ['/bin/sh', '-c', 'echo ready; exec sleep 30'],
        env: { TOKEN: 'TOP-SECRET' },
        stdin: 'none',
        profile: profileFor(workspace),
      });
      await new Promise((resolve) => running.stdout.once('data', resolve));
      const seen =
        readFileSync(`/proc/${running.pid}/cmdline`, 'latin1') + readFileSync(`/proc/${running.pid}/environ`, 'latin1');
      await running.kill();
      expect(seen).toContain('sleep 30');
      expect(seen).not.toContain('TOP-SECRET');
    });

    it('dumps no core', async () => {
      expect(await attempt('ulimit -c; kill -SEGV $$')).toMatchObject({ stdout: '0\n', signal: 'SIGSEGV' });
      expect(readdirSync(workspace)).toEqual([]);
    });

    it('bounds the number of processes', async () => {
      const bound = Number((await attempt('prlimit --nproc --noheadings -o HARD')).stdout);
      expect(bound).toBeGreaterThan(0);
      expect(bound).toBeLessThanOrEqual(4096);
    });
  });

  describe('the network and other sockets', () => {
    it('reaches no port and no abstract socket of the host', async () => {
      const reached: string[] = [];
      const tcp = createServer(() => reached.push('tcp')).listen(0, '127.0.0.1');
      const abstract = createServer(() => reached.push('abstract')).listen(`\0agov-test-${process.pid}`);
      await Promise.all([tcp, abstract].map((server) => new Promise((resolve) => server.once('listening', resolve))));
      const address = tcp.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      const program = `const net = require('node:net');
      for (const to of [{host:'127.0.0.1',port:${port}}, {path:'\\0agov-test-${process.pid}'}, {host:'169.254.169.254',port:80}])
        net.connect(to).on('connect', () => console.log('out')).on('error', (e) => console.log(e.code));`;
      writeFileSync(at('try.cjs'), program);
      const { stdout } = await attempt('node try.cjs');
      tcp.close();
      abstract.close();
      expect(stdout.trim().split('\n').sort()).toEqual(['ECONNREFUSED', 'ECONNREFUSED', 'ENETUNREACH']);
      expect(reached).toEqual([]);
    });

    // Perl makes system calls by number, so that nothing has to be compiled; its base package is on every Debian.
    const perl = existsSync('/usr/bin/perl') && process.arch === 'x64';
    it.skipIf(!perl && process.env['CI'] !== 'true')(
      'keeps the dangerous system calls shut (needs perl, x64)',
      async () => {
        writeFileSync(
          at('calls.pl'),
          `my @calls = (['vsock', 41, 40, 1, 0], ['packet', 41, 17, 3, 0], ['alg', 41, 38, 5, 0], ['keyctl', 250, 0, -3, 0],
         ['ptrace', 101, 16, 1, 0], ['seize', 101, 0x4206, 1, 0], ['sti', 16, 0, 0x5412, 0], ['sti-high', 16, 0, 0x100005412, 0],
         ['tioclinux', 16, 0, 0x541c, 0], ['uring', 425, 1, 0, 0], ['bpf', 321, 0, 0, 0], ['x32', 0x40000000 + 39, 0, 0, 0],
         ['writev', 311, 1, 0, 0]);
       for (my $i = 0; $i < @calls; $i++) { my ($n, @a) = @{$calls[$i]}; my $r = syscall($a[0], $a[1], $a[2], $a[3], 0, 0, 0); print "$n ", ($r == -1 ? $!+0 : 'out'), "\\n"; }
       for my $family (1, 2, 10, 16) { my $r = syscall(41, $family, $family == 16 ? 3 : 1, 0); print "family ", ($r == -1 ? $!+0 : 'open'), "\\n"; }`,
        );
        const { stdout } = await attempt('perl calls.pl');
        const refused = ['keyctl', 'ptrace', 'seize', 'sti', 'sti-high', 'tioclinux', 'uring', 'bpf'].map(
          (name) => `${name} 1\n`,
        );
        expect(stdout).toBe(
          `vsock 97\npacket 97\nalg 97\n${refused.join('')}x32 38\nwritev 1\n${'family open\n'.repeat(4)}`,
        );
      },
    );

    it('has no terminal to control', async () => {
      const { stdout } = await attempt('(: < /dev/tty) && echo out; test -t 0 && echo out; ps -o tty= -p $$');
      expect(stdout.trim()).toBe('?');
    });

    it('takes over no descriptor of the governor', async () => {
      const { stdout } = await attempt('ls /proc/self/fd | wc -l; readlink /proc/self/fd/*; readlink /proc/1/fd/*');
      const targets = stdout.split('\n').slice(1).filter(Boolean);
      const foreign = targets.filter((target) => !/^(socket:|pipe:|\/dev\/null$|anon_inode:|\/proc\/)/.test(target));
      expect(foreign).toEqual([]);
      expect(readlinkSync('/proc/self/fd/0')).toBeDefined();
    });
  });
});
