/** Says why a command never began, from what bubblewrap wrote. Only asked when no command ran that could have written it. */
import { readFileSync } from 'node:fs';
import { AgovError } from '../../../kernel/index.ts';
import { commandNotExecutable, commandNotFound } from '../failures.ts';

export function sandboxMissing(program: string, packageName: string): AgovError {
  return new AgovError('SANDBOX_MISSING', {
    what: `The sandbox needs ${program}, which is not installed.`,
    fix: `Install it: apt-get install ${packageName}`,
  });
}

export function neverBegan(program: string, stderr: string): AgovError {
  if (/^bwrap: execvp .*: Permission denied$/m.test(stderr) || /^bwrap: execvp .*: Exec format error$/m.test(stderr)) {
    return commandNotExecutable(program);
  }
  if (/^bwrap: execvp /m.test(stderr)) return commandNotFound(program);
  const why = stderr.trim().split('\n').at(-1)?.slice(0, 500) ?? '';
  if (/Unknown option/.test(why)) {
    return new AgovError('SANDBOX_MISSING', {
      what: 'The installed bubblewrap is too old.',
      why,
      fix: 'Install version 0.8.0 or later.',
    });
  }
  if (/namespace|uid map|gid map|RTM_NEWADDR|loopback|Operation not permitted|No space left/.test(why)) {
    return new AgovError('SANDBOX_MISSING', {
      what: 'bubblewrap is installed, but this machine does not let it make user namespaces.',
      why,
      fix: namespaceRemedy(),
    });
  }
  return new AgovError('SANDBOX_MISSING', {
    what: 'bubblewrap could not set up the sandbox.',
    ...(why === '' ? {} : { why }),
    fix: 'Check the paths of the sandbox profile, and that bwrap runs: bwrap --ro-bind / / true',
  });
}

function namespaceRemedy(): string {
  if (setting('kernel/apparmor_restrict_unprivileged_userns') === '1') {
    return 'Give bwrap an AppArmor profile with the line "userns,", or run: sysctl kernel.apparmor_restrict_unprivileged_userns=0';
  }
  if (setting('kernel/unprivileged_userns_clone') === '0') return 'Run: sysctl kernel.unprivileged_userns_clone=1';
  if (setting('user/max_user_namespaces') === '0') return 'Run: sysctl user.max_user_namespaces=10000';
  return 'In a container, start it so that it may make user namespaces (docker run --security-opt seccomp=unconfined); else raise user.max_user_namespaces.';
}

function setting(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name}`, 'utf8').trim();
  } catch {
    // This kernel has no such switch.
    return undefined;
  }
}
