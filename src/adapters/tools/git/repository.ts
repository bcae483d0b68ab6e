/**
 * The project's repository: `<project>/.git` and no other. Its configuration is out of the agents' reach, but what it
 * configures (filters, merge drivers, …) may be programs of the working tree, which is theirs. So commands that may
 * write here never look at working files: those are read and written by way of a room (room.ts), which has no
 * configuration at all.
 */
import { readdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { AgovError } from '../../../kernel/index.ts';
import { whyItFailed } from '../exec-result.ts';
import type { ToolCommand, ToolContext, ToolExec, ToolExit } from '../port.ts';
import { identity, runGit } from './command.ts';

export interface Repository {
  /** `<project>/.git`, a real folder. */
  readonly folder: string;
  readonly objectFormat: string;
  /** The commit of a branch, undefined where there is no such branch. */
  commitOf(exec: ToolExec, branch: string): Promise<string | undefined>;
  /** The repository's folder for the working tree at `path`: what it says, not what the tree's own `.git` file says. */
  seatAt(path: string): Promise<string | undefined>;
  /** Only looks; the exit code is the caller's to judge. */
  look(exec: ToolExec, args: readonly string[]): Promise<ToolExit>;
  /** May write the repository, as the agent. `args` must not make git read or write working files. */
  change(
    exec: ToolExec,
    args: readonly string[],
    command?: Pick<ToolCommand, 'input' | 'readOnly' | 'readWrite'>,
  ): Promise<ToolExit>;
}

/** A place with files: which repository data belong to it and what it has checked out. */
export interface Seat {
  /** `.git` itself for the project, `.git/worktrees/<name>` for a worktree. */
  readonly gitDir: string;
  /** Undefined when HEAD is detached. */
  readonly branch: string | undefined;
}

/** @throws NOT_FOUND, WORKSPACE_INVALID */
export async function openRepository(context: ToolContext, exec: ToolExec): Promise<Repository> {
  const folder = join(context.projectRoot, '.git');
  const asked = ['rev-parse', '--path-format=absolute', '--git-common-dir', '--show-object-format'];
  const argv = ['git', `--git-dir=${folder}`, ...asked] as const;
  const exit = await runGit(exec, { argv: [...argv], access: 'read', readOnly: [folder] });
  if (exit.code !== 0) {
    throw new AgovError('NOT_FOUND', {
      what: `${context.projectRoot} has no git repository that can be used.`,
      why: whyItFailed(exit),
      fix: `Make one with a first commit: git init ${context.projectRoot}`,
    });
  }
  const [common = '', objectFormat = ''] = exit.stdout.trimEnd().split('\n');
  // A `.git` that is a link or a file would let git work, and write, wherever it points.
  if (common !== folder || (await realpath(folder)) !== folder) {
    throw elsewhere(`The project's repository is not ${folder} but ${common}.`, 'Use agov in the main checkout.');
  }
  return repositoryAt(folder, objectFormat, context.agent);
}

function repositoryAt(folder: string, objectFormat: string, agent: string): Repository {
  const look: Repository['look'] = (exec, args) =>
    runGit(exec, { argv: ['git', `--git-dir=${folder}`, ...args], access: 'read', readOnly: [folder] });
  return {
    folder,
    objectFormat,
    look,
    async commitOf(exec, branch) {
      const exit = await look(exec, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}^{commit}`]);
      return exit.code === 0 ? exit.stdout.trim() : undefined;
    },
    async seatAt(path) {
      if (join(path, '.git') === folder) return folder;
      const seats = await readdir(join(folder, 'worktrees')).catch(() => []); // none yet
      for (const name of seats) {
        const seat = join(folder, 'worktrees', name);
        const claim = await readFile(join(seat, 'gitdir'), 'utf8').catch(() => ''); // being made or removed
        if (claim.trimEnd() === join(path, '.git')) return seat;
      }
      return undefined;
    },
    change: (exec, args, command) =>
      runGit(exec, {
        argv: ['git', `--git-dir=${folder}`, ...args],
        access: 'write',
        ...command,
        env: identity(agent),
        unprotect: [folder],
        readWrite: [folder, ...(command?.readWrite ?? [])],
      }),
  };
}

/** The workspace's seat. @throws WORKSPACE_INVALID unless it is the project itself or one of its worktrees */
export async function seatOf(repository: Repository, context: ToolContext, exec: ToolExec): Promise<Seat> {
  const { workspace } = context;
  const exit = await runGit(exec, {
    argv: ['git', 'rev-parse', '--path-format=absolute', '--git-common-dir', '--git-dir'],
    access: 'read',
    readOnly: [repository.folder],
  });
  const fix = 'Make a worktree of the project with git.worktree and work there.';
  if (exit.code !== 0) throw elsewhere(`${workspace} is not a git working tree: ${whyItFailed(exit)}.`, fix);
  const [common = '', gitDir = ''] = exit.stdout.trimEnd().split('\n');
  // A `.git` file can claim anything, and git also looks above the workspace, where it would take for deleted what it
  // does not see: the repository must hold, too, that this seat is this workspace's.
  if (common !== repository.folder || gitDir !== (await repository.seatAt(workspace))) {
    throw elsewhere(`${workspace} is not a working tree of the project: its .git points to ${gitDir}.`, fix);
  }
  const head = await runGit(exec, {
    argv: ['git', `--git-dir=${gitDir}`, 'symbolic-ref', '--quiet', 'HEAD'],
    access: 'read',
    readOnly: [repository.folder],
  });
  const branch = /^refs\/heads\/(.+)$/.exec(head.stdout.trimEnd())?.[1];
  return { gitDir, branch: head.code === 0 ? branch : undefined };
}

function elsewhere(why: string, fix: string): AgovError {
  return new AgovError('WORKSPACE_INVALID', { what: 'This is not the repository of the project.', why, fix });
}
