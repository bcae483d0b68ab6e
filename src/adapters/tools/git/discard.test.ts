/** Removing what agents have left: one’s own always, others’ only where nothing is lost, an operator’s never. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { git, gitProject, prepare, use, write } from '../../../../test/support/git-project.ts';
import { bareExec, type ToolRoom } from '../../../../test/support/tool-exec.ts';
import type { ToolContext, ToolResult } from '../port.ts';
import { gitTools } from './index.ts';

const tools = gitTools();
const branch = 'agov/ada/work';
let room: ToolRoom;
let root: string;
let folder: string;
let bob: ToolContext;

beforeEach(async () => {
  room = gitProject();
  root = room.context.projectRoot;
  bob = { ...room.context, agent: 'bob' };
  await act('git.worktree', { branch: 'work' }, room.context);
  folder = join(root, '.worktrees/ada-work');
});
afterEach(() => room[Symbol.dispose]());

const act = (name: string, args: Record<string, unknown>, context: ToolContext): Promise<ToolResult> =>
  use(tools, name, args, context, bareExec(context));
const discard = (context: ToolContext, more = {}) => act('git.discard', { branch, ...more }, context);
const branches = () => git(root, 'branch', '--list', 'agov/*');
const work = (): void => {
  write(folder, 'new.txt', 'work\n');
  git(folder, 'add', '-A');
  git(folder, 'commit', '-qm', 'Work');
};

test('one’s own goes with all that is in it', async () => {
  work();
  write(folder, 'half.txt', 'half\n');
  const commit = git(root, 'rev-parse', branch);
  expect(await discard(room.context)).toMatchObject({ status: 'ok', facts: { commit, branchRemoved: true } });
  expect([existsSync(folder), branches()]).toEqual([false, '']);
  expect(git(root, 'worktree', 'list').split('\n')).toHaveLength(1);
});

test('the branch can stay', async () => {
  work();
  await discard(room.context, { keepBranch: true });
  expect(existsSync(folder)).toBe(false);
  expect(branches()).toContain(branch);
});

describe('another agent’s', () => {
  test('goes when a branch of the operators holds all of it', async () => {
    work();
    git(root, 'merge', '-q', '--no-ff', '-m', 'Merge', branch);
    const call = await prepare(tools, 'git.discard', { branch }, bob, bareExec(bob));
    expect(call).toMatchObject({
      intent: { action: 'repo.discard', resource: branch, args: { merged: true, path: '.worktrees/ada-work' } },
      facts: { ownBranch: false, protectedBranch: false },
    });
    expect(await discard(bob)).toMatchObject({ status: 'ok' });
    expect(existsSync(folder)).toBe(false);
  });

  test('stays while only it holds its commits, unless that is said', async () => {
    work();
    // Another agent's branch is no safe place: it may be removed in the same way.
    git(root, 'branch', 'agov/bob/copy', branch);
    await expect(discard(bob)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await discard(bob, { unmerged: true })).toMatchObject({ status: 'ok' });
  });

  test.each(['new.txt', 'README.md'])('stays while %s in its folder is in no commit', async (file) => {
    write(folder, file, 'not committed\n');
    await expect(discard(bob, { unmerged: true })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(existsSync(join(folder, file))).toBe(true);
  });
});

test.each(['main', 'feature/x', 'agov', 'refs/heads/agov/ada/work'])('%s is no branch of an agent', async (name) => {
  await expect(discard(bob, { branch: name })).rejects.toThrow();
});

test('a folder elsewhere is nobody’s to remove', async () => {
  const elsewhere = join(root, 'elsewhere');
  git(root, 'worktree', 'add', '-q', '-b', 'agov/ada/other', elsewhere);
  await expect(discard(room.context, { branch: 'agov/ada/other' })).rejects.toMatchObject({ code: 'DENIED' });
  git(root, 'checkout', '-q', '-b', 'agov/ada/here');
  await expect(discard(room.context, { branch: 'agov/ada/here' })).rejects.toMatchObject({ code: 'DENIED' });
  expect(existsSync(elsewhere)).toBe(true);
});

test('a branch that has moved since stays', async () => {
  const call = await prepare(tools, 'git.discard', { branch }, room.context, bareExec(room.context));
  work();
  expect(await call.perform(bareExec(room.context))).toMatchObject({ status: 'failed' });
  expect(existsSync(join(folder, 'new.txt'))).toBe(true);
});
