/**
 * `git.discard`: removes the working folder of a branch that an agent made, and the branch with it. What is lost by that
 * is looked at first: the work of others goes only where another branch holds all of it and its folder has nothing more.
 */
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { AgovError } from '../../../kernel/index.ts';
import { defineTool } from '../define.ts';
import { demand, failed, whyItFailed } from '../exec-result.ts';
import type { ToolContext, ToolExec, ToolResult } from '../port.ts';
import { branchFacts, branchSchema } from './branches.ts';
import { treesOn } from './checkout.ts';
import { gitNeed } from './command.ts';
import { moveRefs } from './record.ts';
import { openRepository, type Repository } from './repository.ts';
import { inRoom } from './room.ts';

interface Discard {
  readonly branch: string;
  readonly commit: string;
  /** Absolute; undefined where it is checked out nowhere. */
  readonly path: string | undefined;
  readonly keepBranch: boolean;
}

/** The tree of what lies in the folder, ignored files apart. */
const treeOfFolder = `
export GIT_WORK_TREE="$WORKTREE"
git read-tree "$COMMIT"
git add -A -- .
git write-tree
`;

export const gitDiscard = defineTool({
  name: 'git.discard',
  summary: 'Removes a branch that an agent made, and its working folder.',
  needs: [gitNeed],
  args: z.strictObject({
    branch: branchSchema
      .refine((name) => name.startsWith('agov/'), 'must be a branch of an agent: agov/<agent>/<name>')
      .describe('The branch, agov/<agent>/<name>.'),
    keepBranch: z.boolean().default(false).describe('Remove the working folder alone.'),
    unmerged: z.boolean().default(false).describe('Also where no other branch holds what was done on it.'),
  }),
  async prepare({ branch, keepBranch, unmerged }, context, exec) {
    const repository = await openRepository(context, exec);
    const commit = await repository.commitOf(exec, branch);
    if (commit === undefined) {
      throw new AgovError('NOT_FOUND', { what: `There is no branch ${branch}.`, fix: 'See "git branch".' });
    }
    const [tree, ...more] = await treesOn(repository, exec, branch);
    const path = tree === undefined ? undefined : ownFolder(context, tree, more);
    const facts = branchFacts(context, branch);
    const merged = await heldElsewhere(repository, exec, commit);
    const changed = path !== undefined && (await hasChanged(repository, context, exec, { path, commit }));
    if (!facts.ownBranch) refuseLoss(branch, { loses: !(merged || keepBranch || unmerged), changed });
    const discard: Discard = { branch, commit, path, keepBranch };
    const folder = path === undefined ? {} : { path: relative(context.projectRoot, path) };
    return {
      intent: { action: 'repo.discard', resource: branch, args: { branch, commit, ...folder, keepBranch, merged } },
      facts,
      perform: (run) => carryOut(repository, context, run, discard),
    };
  },
});

/** The project’s own files, and folders that somebody made elsewhere, are nobody’s to remove. @throws DENIED */
function ownFolder({ projectRoot }: ToolContext, path: string, more: readonly string[]): string {
  if (more.length === 0 && dirname(path) === join(projectRoot, '.worktrees')) return path;
  throw new AgovError('DENIED', {
    what: `${path} is not removed.`,
    why: 'Only folders right inside .worktrees of the project are made by git.worktree.',
    fix: 'Look at it, and remove it yourself: git worktree remove',
  });
}

async function heldElsewhere(repository: Repository, exec: ToolExec, commit: string): Promise<boolean> {
  const asked = ['for-each-ref', '--format=%(refname)', `--contains=${commit}`, 'refs/heads'];
  const exit = demand(await repository.look(exec, asked), 'git does not tell which branches hold the commit.');
  return exit.stdout.split('\n').some((ref) => ref !== '' && !ref.startsWith('refs/heads/agov/'));
}

async function hasChanged(
  repository: Repository,
  context: ToolContext,
  exec: ToolExec,
  { path, commit }: { readonly path: string; readonly commit: string },
): Promise<boolean> {
  const env = { WORKTREE: path, COMMIT: commit };
  const found = await inRoom(repository, context, exec, { script: treeOfFolder, env, readOnly: [path] });
  // A folder that is gone, or that git cannot read, tells nothing: then it counts as changed.
  if (found.code !== 0) return true;
  const tree = await repository.look(exec, ['rev-parse', '--verify', `${commit}^{tree}`]);
  return found.stdout.trim() !== tree.stdout.trim();
}

function refuseLoss(branch: string, { loses, changed }: { readonly loses: boolean; readonly changed: boolean }): void {
  if (!(loses || changed)) return;
  throw new AgovError('CONFLICT', {
    what: `${branch} is another agent’s, and removing it would lose work.`,
    why: changed ? 'Its folder holds what is in no commit.' : 'No other branch holds its commits.',
    fix: changed ? 'Let its agent commit or discard it.' : 'Merge it first, or say that it may be lost: unmerged.',
  });
}

async function carryOut(
  repository: Repository,
  context: ToolContext,
  exec: ToolExec,
  { branch, commit, path, keepBranch }: Discard,
): Promise<ToolResult> {
  if ((await repository.commitOf(exec, branch)) !== commit) {
    return failed(`${branch} has moved since it was decided to remove it; nothing was removed.`, { branch });
  }
  if (path !== undefined) {
    const args = ['worktree', 'remove', '--force', '--force', '--', path];
    // Forced, since it is what git would look at working files for.
    const exit = await repository.change(exec, args, { readWrite: [join(context.projectRoot, '.worktrees')] });
    if (exit.code !== 0) return failed(`Its folder could not be removed: ${whyItFailed(exit)}`, { branch });
  }
  if (!(keepBranch || (await moveRefs(repository, exec, [`delete refs/heads/${branch} ${commit}`])))) {
    return failed(`Its folder is gone, but ${branch} has moved meanwhile and stays.`, { branch });
  }
  const what = keepBranch ? 'the folder of ' : '';
  return {
    status: 'ok',
    facts: { branch, commit, removed: path !== undefined, branchRemoved: !keepBranch },
    text: `Removed ${what}${branch} (${commit.slice(0, 12)}).`,
    artifacts: [],
  };
}
