import { existsSync, readFileSync } from 'node:fs';
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

describe('git.merge', () => {
  test('takes no other commit than the one that was reviewed', async () => {
    write(seat.workspace, 'a.txt', 'a\n');
    await commit();
    const at = git(root, 'rev-parse', 'agov/ada/work');
    const reviewed = { branch: 'agov/ada/work', into: 'main', at };
    expect((await look('git.merge', reviewed, seat)).intent.args).toMatchObject({ branchCommit: at });
    write(seat.workspace, 'b.txt', 'b\n');
    await commit('Slip something in');
    await expect(look('git.merge', reviewed, seat)).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  const merge = { branch: 'agov/ada/work', into: 'main' };

  beforeEach(async () => {
    write(seat.workspace, 'feature.txt', 'feature\n');
    await commit('Add a feature');
  });

  test('joins the branch and brings the project’s clean working files along', async () => {
    const [branchCommit, intoCommit] = [git(root, 'rev-parse', merge.branch), git(root, 'rev-parse', 'main')];
    const call = await look('git.merge', merge, seat);
    expect(call.intent).toMatchObject({
      action: 'repo.merge',
      resource: 'main',
      args: { ...merge, branchCommit, intoCommit },
    });
    expect(call.facts).toEqual({ ownBranch: false, protectedBranch: true });
    const result = await call.perform(bareExec(seat));
    expect(result).toMatchObject({ status: 'ok', facts: { changed: true, workingTree: 'updated' } });
    expect(git(root, 'log', '-1', '--format=%P %an', 'main')).toBe(`${intoCommit} ${branchCommit} ada`);
    expect(readFileSync(join(root, 'feature.txt'), 'utf8')).toBe('feature\n');
    expect(git(root, 'status', '--porcelain')).toBe('');
    expect(git(root, 'fsck', '--strict', '--no-dangling')).toBe('');
  });

  test('keeps changes of the project that it does not touch', async () => {
    write(root, 'README.md', 'edited\n');
    write(root, 'staged.txt', 'staged\n');
    git(root, 'add', 'staged.txt');
    expect(await act('git.merge', merge, seat)).toMatchObject({ status: 'ok', facts: { workingTree: 'updated' } });
    expect(git(root, 'status', '--porcelain')).toBe('M README.md\nA  staged.txt');
  });

  test.each(['untracked', 'staged'])('merges nothing over an %s file of the project, and says so', async (kind) => {
    write(root, 'feature.txt', 'precious\n');
    if (kind === 'staged') git(root, 'add', 'feature.txt');
    const main = git(root, 'rev-parse', 'main');
    const result = await act('git.merge', merge, seat);
    expect(result.status).toBe('failed');
    expect(result.reason).toContain('changes that the merge would overwrite');
    expect(git(root, 'rev-parse', 'main')).toBe(main);
    expect(readFileSync(join(root, 'feature.txt'), 'utf8')).toBe('precious\n');
  });

  test('leaves the working files alone when the project is on another branch', async () => {
    git(root, 'checkout', '-q', '-b', 'elsewhere');
    expect(await act('git.merge', merge, seat)).toMatchObject({ status: 'ok', facts: { workingTree: 'elsewhere' } });
    expect(existsSync(join(root, 'feature.txt'))).toBe(false);
    expect(git(root, 'ls-tree', '--name-only', 'main')).toContain('feature.txt');
  });

  test('refuses a branch that another worktree has checked out', async () => {
    git(root, 'branch', 'topic');
    git(root, 'worktree', 'add', '-q', join(root, '.worktrees/topic'), 'topic');
    const result = await act('git.merge', { ...merge, into: 'topic' }, seat);
    expect(result.reason).toContain('.worktrees/topic');
  });

  test.each(['agov/ada/work', 'main'])('refuses when %s has moved since the decision', async (ref) => {
    const call = await look('git.merge', merge, seat);
    const other = git(root, 'commit-tree', `${ref}^{tree}`, '-p', ref, '-m', 'slipped in');
    git(root, 'update-ref', `refs/heads/${ref}`, other);
    const result = await call.perform(bareExec(seat));
    expect(result).toMatchObject({ status: 'failed' });
    expect(result.reason).toContain(`${ref} has moved`);
    expect(git(root, 'rev-parse', ref)).toBe(other);
  });

  test('moves nothing when a ref moves in the last moment', async () => {
    const call = await look('git.merge', merge, seat);
    const main = git(root, 'rev-parse', 'main');
    const other = git(root, 'commit-tree', 'main^{tree}', '-p', merge.branch, '-m', 'slipped in');
    const exec = bareExec(seat);
    const result = await call.perform((command) => {
      if (command.argv.includes('update-ref')) git(root, 'update-ref', `refs/heads/${merge.branch}`, other);
      return exec(command);
    });
    expect(result).toMatchObject({ status: 'failed' });
    expect(git(root, 'rev-parse', 'main')).toBe(main);
  });

  test('names the files that clash', async () => {
    write(root, 'feature.txt', 'other\n');
    git(root, 'add', '-A');
    git(root, 'commit', '-qm', 'Other feature');
    await expect(look('git.merge', merge, seat)).rejects.toMatchObject({
      code: 'CONFLICT',
      why: 'Both have changed feature.txt.',
    });
  });

  test('has nothing to do the second time', async () => {
    await act('git.merge', merge, seat);
    expect(await act('git.merge', merge, seat)).toMatchObject({ status: 'ok', facts: { changed: false } });
  });
});
