/**
 * What an agent can put into its files so that git, run with `.git` open, does something for it. No sandbox here: the
 * tools must hold by themselves, and the mark that each attempt would leave must not appear.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { git, gitProject, prepare, use, write } from '../../../../test/support/git-project.ts';
import { bareExec, type ToolRoom } from '../../../../test/support/tool-exec.ts';
import type { ToolContext, ToolResult } from '../port.ts';
import { gitTools } from './index.ts';

const tools = gitTools();
let room: ToolRoom;
let root: string;
let seat: ToolContext;
let mark: string;

beforeEach(async () => {
  room = gitProject();
  root = room.context.projectRoot;
  mark = join(root, '../mark');
  await act('git.worktree', { branch: 'work' }, room.context);
  seat = { ...room.context, workspace: join(root, '.worktrees/ada-work') };
});
afterEach(() => room[Symbol.dispose]());

const act = (name: string, args: Record<string, unknown>, context = seat): Promise<ToolResult> =>
  use(tools, name, args, context, bareExec(context));
const look = (name: string, args: Record<string, unknown>, context = seat) =>
  prepare(tools, name, args, context, bareExec(context));

/** A program that leaves the mark if anything ever runs it, and passes its input on. */
function trap(path: string): string {
  writeFileSync(path, `#!/bin/sh\necho "$0 $*" >> '${mark}'\ncat\n`);
  chmodSync(path, 0o755);
  return path;
}

test('hooks of the repository do not run', async () => {
  for (const hook of [
    'pre-commit',
    'post-commit',
    'commit-msg',
    'reference-transaction',
    'post-checkout',
    'post-merge',
    'pre-push',
  ]) {
    trap(join(root, '.git/hooks', hook));
  }
  mkdirSync(join(seat.workspace, 'hooks'));
  trap(join(seat.workspace, 'hooks/reference-transaction'));
  git(root, 'config', 'core.hooksPath', 'hooks');
  write(seat.workspace, 'a.txt', 'a\n');
  expect(await act('git.commit', { message: 'A' })).toMatchObject({ status: 'ok' });
  expect(await act('git.worktree', { branch: 'more' })).toMatchObject({ status: 'ok' });
  expect(await act('git.merge', { branch: 'agov/ada/work', into: 'main' })).toMatchObject({ status: 'ok' });
  expect(existsSync(mark)).toBe(false);
});

test('commands that the operator has configured, and that are files of the workspace, do not run', async () => {
  const evil = trap(join(seat.workspace, 'evil'));
  trap(join(root, 'evil'));
  for (const key of [
    'core.fsmonitor',
    'core.editor',
    'core.pager',
    'diff.external',
    'diff.x.command',
    'diff.x.textconv',
    'filter.x.clean',
    'filter.x.smudge',
    'filter.x.process',
    'merge.x.driver',
    'gpg.program',
    'core.alternateRefsCommand',
    'credential.helper',
  ]) {
    git(root, 'config', key, key === 'credential.helper' ? `!${evil}` : evil);
  }
  git(root, 'config', 'commit.gpgSign', 'true');
  rmSync(mark, { force: true });
  // Attributes that the repository holds already, so that checkouts and merges meet them too.
  write(root, '.gitattributes', '*.txt diff=x merge=x filter=x\n');
  const attributes = git(root, 'hash-object', '-w', '--no-filters', '.gitattributes');
  git(root, 'update-index', '--add', '--cacheinfo', `100644,${attributes},.gitattributes`);
  const tree = git(root, 'write-tree');
  git(
    root,
    'update-ref',
    'refs/heads/main',
    git(root, 'commit-tree', '--no-gpg-sign', tree, '-p', 'main', '-m', 'Attributes'),
  );
  rmSync(mark, { force: true });

  expect(await act('git.worktree', { branch: 'filtered', from: 'main' })).toMatchObject({ status: 'ok' });
  const filtered = { ...seat, workspace: join(root, '.worktrees/ada-filtered') };
  write(filtered.workspace, 'plain.md', 'a\n');
  expect(await act('git.commit', { message: 'A' }, filtered)).toMatchObject({ status: 'ok' });
  write(filtered.workspace, 'a.txt', 'a\n');
  await expect(look('git.commit', { message: 'B' }, filtered)).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    what: 'a.txt goes through the git filter "x".',
  });
  expect(await act('git.merge', { branch: 'agov/ada/filtered', into: 'main' })).toMatchObject({ status: 'ok' });
  expect(existsSync(mark)).toBe(false);
});

test('a repository inside the workspace never has its programs run while the project’s is open', async () => {
  const nested = join(seat.workspace, 'nested');
  mkdirSync(nested);
  git(nested, 'init', '-q');
  write(nested, 'a.txt', 'a\n');
  git(nested, 'add', '-A');
  git(nested, 'commit', '-qm', 'Nested');
  await expect(look('git.commit', { message: 'Nest' })).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    what: 'nested is a git repository of its own.',
  });

  // Committed by an operator as a submodule is; from then on `git add` asks for its status, by its own configuration.
  git(seat.workspace, 'add', '-A');
  git(seat.workspace, 'commit', '-qm', 'Submodule');
  const evil = trap(join(nested, '.git/evil'));
  git(nested, 'config', 'core.fsmonitor', evil);
  git(nested, 'config', 'filter.x.clean', evil);
  write(nested, '.git/info/attributes', '* filter=x\n');
  write(nested, 'a.txt', 'b\n');
  write(seat.workspace, 'b.txt', 'b\n');
  const call = await look('git.commit', { message: 'More' });
  const open: string[] = [];
  let attempts = 0;
  const exec = bareExec(seat);
  const result = await call.perform(async (command) => {
    rmSync(mark, { force: true });
    const exit = await exec(command);
    if (existsSync(mark)) attempts += 1;
    if (existsSync(mark) && command.unprotect?.length) open.push(command.argv.join(' '));
    return exit;
  });
  expect(result).toMatchObject({ status: 'ok', facts: { files: 1 } });
  expect(open).toEqual([]);
  // Else the trap is not where git steps, and the test says nothing.
  expect(attempts).toBeGreaterThan(0);
});

test('a .git file that points to the worktree of another is refused', async () => {
  await act('git.worktree', { branch: 'work' }, { ...room.context, agent: 'bob' });
  write(seat.workspace, '.git', `gitdir: ${root}/.git/worktrees/bob-work\n`);
  write(seat.workspace, 'a.txt', 'a\n');
  await expect(look('git.commit', { message: 'A' })).rejects.toMatchObject({ code: 'WORKSPACE_INVALID' });
});

test.each(['file', 'link', 'folder'])(
  'a .git %s that leads to a repository of the agent’s own is refused',
  async (kind) => {
    const own = join(root, '../own');
    mkdirSync(own);
    git(own, 'init', '-q');
    rmSync(join(seat.workspace, '.git'));
    if (kind === 'file') write(seat.workspace, '.git', `gitdir: ${own}/.git\n`);
    if (kind === 'link') symlinkSync(join(own, '.git'), join(seat.workspace, '.git'));
    if (kind === 'folder') cpSync(join(own, '.git'), join(seat.workspace, '.git'), { recursive: true });
    await expect(look('git.commit', { message: 'A' })).rejects.toMatchObject({ code: 'WORKSPACE_INVALID' });
  },
);

test('a folder of the project without a .git of its own is not committed as a project with all else deleted', async () => {
  mkdirSync(join(root, 'part'));
  const part = { ...seat, workspace: join(root, 'part') };
  await expect(look('git.commit', { message: 'A' }, part)).rejects.toMatchObject({ code: 'WORKSPACE_INVALID' });
});

test('a project whose .git is a link to elsewhere is refused', async () => {
  renameSync(join(root, '.git'), join(root, '../moved.git'));
  symlinkSync('../moved.git', join(root, '.git'));
  await expect(look('git.push', { branch: 'main' })).rejects.toMatchObject({ code: 'WORKSPACE_INVALID' });
});

test('.worktrees that is a link is not followed', async () => {
  const outside = join(root, '../outside');
  mkdirSync(outside);
  rmSync(join(root, '.worktrees'), { recursive: true });
  symlinkSync(outside, join(root, '.worktrees'));
  await expect(act('git.worktree', { branch: 'x' }, room.context)).rejects.toMatchObject({ code: 'WORKSPACE_INVALID' });
  expect(readdirSync(outside)).toEqual([]);
});

test('paths are names, not patterns or options', async () => {
  for (const name of ['a.txt', '*', ':(top)a.txt', '--all']) write(seat.workspace, name, 'x\n');
  for (const path of ['*', ':(top)a.txt', '--all']) {
    expect(await act('git.commit', { message: '--amend', paths: [path] })).toMatchObject({
      status: 'ok',
      facts: { files: 1 },
    });
  }
  expect(git(seat.workspace, 'status', '--porcelain')).toBe('?? a.txt');
  expect(git(root, 'log', '-1', '--format=%s', 'agov/ada/work')).toBe('--amend');
});

test('names with newlines and quotes come through', async () => {
  const name = 'a\n"b" $(touch x)\t.txt';
  write(seat.workspace, name, 'x\n');
  expect(await act('git.commit', { message: 'Odd', paths: [name] })).toMatchObject({
    status: 'ok',
    facts: { files: 1 },
  });
  expect(git(root, 'ls-tree', '-z', '--name-only', 'agov/ada/work')).toContain(name);
});

test('a merge does not write through a link that a branch brings', async () => {
  const outside = join(root, '../outside');
  mkdirSync(outside);
  symlinkSync('../outside', join(root, 'folder'));
  write(seat.workspace, 'folder/planted.txt', 'planted\n');
  await act('git.commit', { message: 'Plant' });
  expect(await act('git.merge', { branch: 'agov/ada/work', into: 'main' })).toMatchObject({ status: 'failed' });
  expect(readdirSync(outside)).toEqual([]);
});

test('the governor’s folder and the worktrees are never committed, ignored or not', async () => {
  rmSync(join(root, '.gitignore'));
  write(root, '.agov/ledger.db', 'x');
  const call = await look('git.commit', { message: 'All' }, room.context);
  expect(call.intent.args['files']).toBe(1);
  await call.perform(bareExec(room.context));
  expect(git(root, 'ls-tree', '-r', '--name-only', 'main')).toBe('README.md');
  expect(readFileSync(join(root, '.agov/ledger.db'), 'utf8')).toBe('x');
});
