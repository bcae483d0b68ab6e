/** What is found out once and is the same at every run of a sandbox. */
import { spawnSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { AgovError } from '../../../kernel/index.ts';
import { findProgram } from '../programs.ts';
import { sandboxMissing } from './failure.ts';
import { inheritedDescriptors } from './inherited.ts';
import { endOrphans } from './orphans.ts';
import { systemCallFilter } from './seccomp.ts';
import { namelessFile, systemArguments, systemFiles } from './view/system.ts';

export interface Ground {
  /** bwrap, and the arguments that do not change. */
  readonly command: readonly [string, ...string[]];
  /** Contents by path inside; besides, `seccomp`, `empty` and what was given. */
  readonly files: ReadonlyMap<string, () => number>;
  readonly inherited: readonly number[];
}

/** @throws AgovError SANDBOX_MISSING, NOT_WRITABLE */
export function prepareGround(program: string, more: Readonly<Record<string, string>> = {}): Ground {
  const filter = systemCallFilter(process.arch);
  if (filter === undefined) {
    throw new AgovError('SANDBOX_MISSING', {
      what: `The sandbox has no system call filter for ${process.arch} processors.`,
      fix: 'Run agov on x64 or arm64.',
    });
  }
  const bwrap = locate(program, 'bubblewrap');
  limitOurselves(locate('prlimit', 'util-linux'));
  endOrphans();
  const contents = { ...systemFiles(), ...more, seccomp: filter, empty: '' };
  return {
    command: [bwrap, ...systemArguments(realpathSync(process.execPath))],
    files: new Map(Object.entries(contents).map(([name, content]) => [name, namelessFile(content)])),
    inherited: inheritedDescriptors(),
  };
}

function locate(program: string, packageName: string): string {
  const found = findProgram(program, `${process.env['PATH'] ?? ''}:/usr/local/bin:/usr/bin:/bin`, '/');
  if (found.kind !== 'found') throw sandboxMissing(program, packageName);
  return found.path;
}

/**
 * No core dumps, which the host's handler would read with its own rights; and an end to fork bombs. Limits are inherited,
 * so that the governor takes them on once, and not each run for itself: that would be a program more to start.
 */
function limitOurselves(prlimit: string): void {
  const most = 4096;
  const hard = Number(/^Max processes\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? most);
  const processes = Math.min(hard, most);
  const args = ['--pid', `${process.pid}`, '--core=0:0', `--nproc=${processes}:${processes}`];
  const { status, stderr } = spawnSync(prlimit, args, { encoding: 'utf8', env: {} });
  if (status === 0) return;
  throw new AgovError('SANDBOX_MISSING', {
    what: 'The limits of the sandbox cannot be set.',
    why: stderr?.trim() || 'prlimit could not be started.',
    fix: 'apt-get install util-linux',
  });
}
