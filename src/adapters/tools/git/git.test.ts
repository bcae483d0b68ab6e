import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { git, gitProject, prepare, use, write } from '../../../../test/support/git-project.ts';
import { bareExec, type ToolRoom } from '../../../../test/support/tool-exec.ts';
import type { ToolContext, ToolResult } from '../port.ts';
import { gitTools } from './index.ts';

const tools = gitTools();
let room: ToolRoom;
let root: string;
/** The agent's own worktree on agov/ada/work. */
let seat: ToolContext;

beforeEach(async () => {
  room = gitProject();
  root = room.context.projectRoot;
  await act('git.worktree', { branch: 'work' }, room.context);
  seat = { ...room.context, workspace: join(root, '.worktrees/ada-work') };
});
afterEach(() => room[Symbol.dispose]());

const act = (name: string, args: Record<string, unknown>, context: ToolContext): Promise<ToolResult> =>
  use(tools, name, args, context, bareExec(context));
const look = (name: string, args: Record<string, unknown>, context: ToolContext) =>
  prepare(tools, name, args, context, bareExec(context));
const commit = (message = 'Change'): Promise<ToolResult> => act('git.commit', { message }, seat);

describe('git.worktree', () => {
  test('makes a branch of the agent and a clean folder with its files', () => {
    expect(git(seat.workspace, 'branch', '--show-current')).toBe('agov/ada/work');
    expect(git(seat.workspace, 'status', '--porcelain')).toBe('');
    expect(readFileSync(join(seat.workspace, 'README.md'), 'utf8')).toBe('one\n');
  });

  test('says what it would do', async () => {
    const call = await look('git.worktree', { branch: 'fix/login' }, room.context);
    expect(call.intent).toEqual({
      action: 'repo.commit',
      resource: 'agov/ada/fix/login',
      args: { branch: 'agov/ada/fix/login', path: '.worktrees/ada-fix-login', from: git(root, 'rev-parse', 'main') },
    });
    expect(call.facts).toEqual({ ownBranch: true, protectedBranch: false });
  });

  test('tells another agent’s branch from its own', async () => {
    const call = await look('git.worktree', { branch: 'agov/bob/work' }, room.context);
    expect(call.facts.ownBranch).toBe(false);
  });

  test.each([
    [{ branch: 'work' }, 'CONFLICT'],
    [{ branch: 'x', from: 'nowhere' }, 'NOT_FOUND'],
    [{ branch: 'x', path: '../outside' }, 'INPUT_INVALID'],
    [{ branch: 'x', path: '.worktrees/a/b' }, 'INPUT_INVALID'],
    [{ branch: 'x', path: '/etc/x' }, 'INPUT_INVALID'],
  ])('refuses %j with %s', async (args, code) => {
    await expect(look('git.worktree', args, room.context)).rejects.toMatchObject({ code });
  });
});

describe('git.commit', () => {
  test('commits every change as the agent, with its trailer, and leaves a clean folder', async () => {
    write(seat.workspace, 'src/new.txt', 'new\n');
    write(seat.workspace, 'README.md', 'two\n');
    const result = await commit('Add things\n\nCo-authored-by: Bob <bob@example.org>');
    expect(result).toMatchObject({ status: 'ok', facts: { branch: 'agov/ada/work', files: 2 } });
    expect(git(root, 'rev-parse', 'agov/ada/work')).toBe(result.facts['commit']);
    expect(git(root, 'log', '-1', '--format=%an <%ae> %cn', 'agov/ada/work')).toBe('ada <ada@agov.local> ada');
    expect(git(root, 'log', '-1', '--format=%(trailers:key=Agov-Agent,valueonly)', 'agov/ada/work')).toBe('ada');
    expect(git(root, 'log', '-1', '--format=%(trailers:key=Co-authored-by,valueonly)', 'agov/ada/work')).toContain(
      'Bob',
    );
    expect(git(seat.workspace, 'status', '--porcelain')).toBe('');
    expect(git(root, 'fsck', '--strict', '--no-dangling')).toBe('');
  });

  test('commits deletions, and only the paths it is given', async () => {
    rmSync(join(seat.workspace, 'README.md'));
    write(seat.workspace, 'kept.txt', 'later\n');
    expect(await act('git.commit', { message: 'Drop', paths: ['README.md'] }, seat)).toMatchObject({ status: 'ok' });
    expect(git(root, 'ls-tree', '-r', '--name-only', 'agov/ada/work')).toBe('.gitignore');
    expect(git(seat.workspace, 'status', '--porcelain')).toBe('?? kept.txt');
  });

  test('names parent, tree and branch in the intent, the same at each look, and writes nothing', async () => {
    write(seat.workspace, 'a.txt', 'a\n');
    const before = git(root, 'count-objects', '-v');
    const [one, two] = [
      await look('git.commit', { message: 'A' }, seat),
      await look('git.commit', { message: 'A' }, seat),
    ];
    expect(one.intent).toEqual(two.intent);
    expect(one.intent).toMatchObject({
      action: 'repo.commit',
      resource: 'agov/ada/work',
      args: { message: 'A', files: 1 },
    });
    expect(one.intent.args['parent']).toBe(git(root, 'rev-parse', 'agov/ada/work'));
    expect(git(root, 'count-objects', '-v')).toBe(before);
  });

  test('does not commit what was changed after the decision', async () => {
    write(seat.workspace, 'a.txt', 'a\n');
    const call = await look('git.commit', { message: 'A' }, seat);
    write(seat.workspace, 'a.txt', 'something else\n');
    const head = git(root, 'rev-parse', 'agov/ada/work');
    expect(await call.perform(bareExec(seat))).toMatchObject({ status: 'failed' });
    expect(git(root, 'rev-parse', 'agov/ada/work')).toBe(head);
  });

  test('does not commit onto a branch that has moved', async () => {
    write(seat.workspace, 'a.txt', 'a\n');
    const call = await look('git.commit', { message: 'A' }, seat);
    const other = git(root, 'commit-tree', 'main^{tree}', '-p', 'main', '-m', 'other');
    git(root, 'update-ref', 'refs/heads/agov/ada/work', other);
    const result = await call.perform(bareExec(seat));
    expect(result.status).toBe('failed');
    expect(result.reason).toContain('has moved');
    expect(git(root, 'rev-parse', 'agov/ada/work')).toBe(other);
  });

  test('fails with a sentence when nothing has changed', async () => {
    expect(await commit()).toMatchObject({ status: 'failed', reason: 'There is nothing to commit on agov/ada/work.' });
  });

  test('refuses a detached head', async () => {
    git(seat.workspace, 'checkout', '-q', '--detach');
    await expect(look('git.commit', { message: 'A' }, seat)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  test('makes the first commit of a repository, and says that its branch is protected', async () => {
    rmSync(join(root, '.git'), { recursive: true });
    rmSync(join(root, '.worktrees'), { recursive: true });
    git(root, 'init', '-q', '-b', 'main');
    const call = await look('git.commit', { message: 'Begin' }, room.context);
    expect(call.facts).toEqual({ ownBranch: false, protectedBranch: true });
    expect(await call.perform(bareExec(room.context))).toMatchObject({ status: 'ok', facts: { files: 2 } });
    expect(git(root, 'status', '--porcelain')).toBe('');
  });

  test('works in repositories that count by SHA-256', async () => {
    rmSync(join(root, '.git'), { recursive: true });
    rmSync(join(root, '.worktrees'), { recursive: true });
    git(root, 'init', '-q', '-b', 'main', '--object-format=sha256');
    const result = await act('git.commit', { message: 'Begin' }, room.context);
    expect(result.facts['commit']).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each(['../README.md', '/etc/passwd'])('refuses the path %s', async (path) => {
    await expect(look('git.commit', { message: 'x', paths: [path] }, seat)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
  });

  test('says which path does not exist', async () => {
    await expect(look('git.commit', { message: 'x', paths: ['gone.txt'] }, seat)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('git.push', () => {
  const push = { branch: 'agov/ada/work' };
  let remote: string;

  beforeEach(() => {
    remote = join(root, '../remote.git');
    git(root, 'init', '-q', '--bare', remote);
    git(root, 'remote', 'add', 'origin', remote);
  });

  test('puts the branch at its commit', async () => {
    const call = await look('git.push', push, seat);
    const commitId = git(root, 'rev-parse', push.branch);
    expect(call.intent).toMatchObject({
      action: 'repo.push',
      resource: push.branch,
      args: { commit: commitId, url: remote },
    });
    expect(await call.perform(bareExec(seat))).toMatchObject({ status: 'ok', facts: { remote: 'origin' } });
    expect(git(remote, 'rev-parse', push.branch)).toBe(commitId);
  });

  test('never forces', async () => {
    git(root, 'push', '-q', 'origin', 'main:refs/heads/agov/ada/work');
    const theirs = git(remote, 'commit-tree', 'agov/ada/work^{tree}', '-p', 'agov/ada/work', '-m', 'theirs');
    git(remote, 'update-ref', 'refs/heads/agov/ada/work', theirs);
    expect(await act('git.push', push, seat)).toMatchObject({ status: 'failed' });
    expect(git(remote, 'rev-parse', push.branch)).toBe(theirs);
  });

  test('keeps credentials of the remote out of intent and outcome', async () => {
    git(root, 'remote', 'set-url', 'origin', 'https://ada:s3cret@127.0.0.1:1/x.git');
    const call = await look('git.push', push, seat);
    const result = await call.perform(bareExec(seat));
    expect(result.status).toBe('failed');
    expect(JSON.stringify([call.intent, result])).not.toContain('s3cret');
    expect(call.intent.args['url']).toBe('https://127.0.0.1:1/x.git');
  });

  test('runs no command that a remote names as its address', async () => {
    const mark = join(root, '../mark');
    git(root, 'config', 'protocol.ext.allow', 'always');
    write(root, '../evil', `#!/bin/sh\ntouch '${mark}'\n`);
    chmodSync(join(root, '../evil'), 0o755);
    git(root, 'remote', 'set-url', 'origin', `ext::${join(root, '../evil')}`);
    expect(await act('git.push', push, seat)).toMatchObject({ status: 'failed' });
    expect(existsSync(mark)).toBe(false);
  });

  test.each([
    [{ branch: 'main', remote: 'upstream' }, 'NOT_FOUND'],
    [{ branch: 'nowhere' }, 'NOT_FOUND'],
  ])('refuses %j with %s', async (args, code) => {
    await expect(look('git.push', args, seat)).rejects.toMatchObject({ code });
  });
});
