/**
 * Git for agents: a branch and a folder of one's own, commits, pushes, merges. Each intent names the exact commits and
 * trees; see repository.ts and room.ts for how the repository is kept from what agents put into working files.
 */
import type { Tool } from '../port.ts';
import { gitCommit } from './commit.ts';
import { gitDiscard } from './discard.ts';
import { gitMerge } from './merge.ts';
import { gitPush } from './push.ts';
import { gitWorktree } from './worktree.ts';

export { treeStatus } from './status.ts';

export function gitTools(): readonly Tool[] {
  return [gitWorktree, gitCommit, gitMerge, gitPush, gitDiscard];
}
