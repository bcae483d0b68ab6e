/** Where a branch is checked out, and how the project's own working files come to follow it. */
import { demand, whyItFailed } from '../exec-result.ts';
import type { ToolContext, ToolExec } from '../port.ts';
import { moveIndex } from './record.ts';
import type { Repository } from './repository.ts';
import { inRoom } from './room.ts';

/** Absolute paths of the working trees that have `branch` checked out. */
export async function treesOn(repository: Repository, exec: ToolExec, branch: string): Promise<readonly string[]> {
  const exit = await repository.look(exec, ['worktree', 'list', '--porcelain', '-z']);
  const records = demand(exit, 'git could not list the worktrees.').stdout.split('\0\0');
  return records
    .map((record) => record.split('\0'))
    .filter((lines) => lines.includes(`branch refs/heads/${branch}`))
    .flatMap((lines) => lines.filter((line) => line.startsWith('worktree ')).map((line) => line.slice(9)));
}

interface Step {
  /** A commit, and a commit or tree that the room or the repository holds. */
  readonly from: string;
  readonly to: string;
}

/** Both refuse to lose what is not committed, as `git merge` does. */
const script = (flags: string): string => `
export GIT_WORK_TREE="$PROJECT"
git read-tree "$FROM"
git update-index -q --refresh || :
git read-tree ${flags} -m -u "$FROM" "$TO"
`;

/** Undefined when the project's working files could follow; else what is in the way. */
export async function obstacle(
  repository: Repository,
  context: ToolContext,
  exec: ToolExec,
  step: Step,
): Promise<string | undefined> {
  const exit = await inRoom(repository, context, exec, {
    script: script('-n'),
    env: { PROJECT: context.projectRoot, FROM: step.from, TO: step.to },
    readOnly: [context.projectRoot],
    keep: true,
  });
  return exit.code === 0 ? undefined : whyItFailed(exit);
}

/** Undefined when files and index have followed; else why not. Never throws away what is not committed. */
export async function follow(
  repository: Repository,
  context: ToolContext,
  exec: ToolExec,
  { from, to }: Step,
): Promise<string | undefined> {
  const exit = await inRoom(repository, context, exec, {
    script: script(''),
    access: 'write',
    env: { PROJECT: context.projectRoot, FROM: from, TO: to },
    readWrite: [context.projectRoot],
    keep: true,
  });
  if (exit.code !== 0) return whyItFailed(exit);
  const moved = await moveIndex(repository, exec, repository.folder, [from, to]);
  return moved ? undefined : 'What is staged there is in the way.';
}
