/**
 * `git.merge`: one commit that joins a branch into another. The intent names both commits and the resulting tree, so
 * consent is to exactly this merge; refs that have moved since end it. Nothing is checked out to make it.
 */
import { z } from 'zod';
import { AgovError } from '../../../kernel/index.ts';
import { defineTool } from '../define.ts';
import { demand, failed } from '../exec-result.ts';
import type { ToolContext, ToolExec, ToolResult } from '../port.ts';
import { branchFacts, branchSchema } from './branches.ts';
import { follow, obstacle, treesOn } from './checkout.ts';
import { gitNeed } from './command.ts';
import { withTrailer } from './message.ts';
import { moveRefs, writeCommit } from './record.ts';
import { openRepository, type Repository } from './repository.ts';
import { admit, inRoom } from './room.ts';

const script = `
code=0
git merge-tree --write-tree --name-only --no-messages -z "$INTO" "$BRANCH" > "$GIT_DIR/merged" || code=$?
tr '\\0' '\\n' < "$GIT_DIR/merged"
case $code in 0) ;; 1) exit 3 ;; *) exit $code ;; esac
tree=$(head -n 1 "$GIT_DIR/merged" | tr -d '\\0')
`;
const conflictCode = 3;
const usageCode = 129;
const shownConflicts = 10;

interface Merge {
  readonly branch: string;
  readonly into: string;
  readonly branchCommit: string;
  readonly intoCommit: string;
  readonly tree: string;
}

export const gitMerge = defineTool({
  name: 'git.merge',
  summary: 'Merges one branch into another.',
  needs: [gitNeed],
  args: z.strictObject({
    branch: branchSchema.describe('The branch to take from.'),
    into: branchSchema.describe('The branch that gets the merge.'),
    at: z
      .string()
      .regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/, 'must be the whole id of a commit')
      .optional()
      .describe('The commit that was reviewed: refused where the branch is at another.'),
  }),
  async prepare({ branch, into, at }, context, exec) {
    if (branch === into) throw new AgovError('INPUT_INVALID', { what: `${branch} cannot be merged into itself.` });
    const repository = await openRepository(context, exec);
    const branchCommit = await existing(repository, exec, branch);
    if (at !== undefined && at !== branchCommit) throw notReviewed(branch, at, branchCommit);
    const intoCommit = await existing(repository, exec, into);
    const tree = await mergedTree(repository, context, exec, { branch, into, branchCommit, intoCommit }, false);
    const merge: Merge = { branch, into, branchCommit, intoCommit, tree };
    return {
      intent: { action: 'repo.merge', resource: into, args: { ...merge } },
      facts: branchFacts(context, into),
      perform: (run) => carryOut(repository, context, run, merge),
    };
  },
});

async function carryOut(
  repository: Repository,
  context: ToolContext,
  exec: ToolExec,
  merge: Merge,
): Promise<ToolResult> {
  const { branch, into, branchCommit, intoCommit, tree } = merge;
  for (const [name, commit] of [[branch, branchCommit] as const, [into, intoCommit] as const]) {
    if ((await repository.commitOf(exec, name)) !== commit) return moved(name);
  }
  if ((await repository.look(exec, ['merge-base', '--is-ancestor', branchCommit, intoCommit])).code === 0) {
    return {
      status: 'ok',
      facts: { branch, into, changed: false },
      text: `${into} has all of ${branch}.`,
      artifacts: [],
    };
  }
  const trees = await treesOn(repository, exec, into);
  const other = trees.find((path) => path !== context.projectRoot);
  if (other) return failed(`${into} is checked out in ${other}, whose files would fall behind; nothing was merged.`);

  await mergedTree(repository, context, exec, merge, true);
  const inProject = trees.includes(context.projectRoot);
  const inTheWay = inProject ? await obstacle(repository, context, exec, { from: intoCommit, to: tree }) : undefined;
  if (inTheWay) {
    const why = `The project has ${into} checked out, with changes that the merge would overwrite`;
    return failed(`${why}; nothing was merged. Commit them or put them away first. (${inTheWay})`);
  }
  await admit(repository, context, exec);
  const commit = await writeCommit(repository, exec, {
    tree,
    parents: [intoCommit, branchCommit],
    message: withTrailer(`Merge branch '${branch}' into ${into}`, context.agent),
  });
  const lines = [`verify refs/heads/${branch} ${branchCommit}`, `update refs/heads/${into} ${commit} ${intoCommit}`];
  if (!(await moveRefs(repository, exec, lines))) return moved(`${branch} or ${into}`);
  const behind = inProject ? await follow(repository, context, exec, { from: intoCommit, to: commit }) : undefined;
  return {
    status: 'ok',
    facts: { ...merge, commit, changed: true, workingTree: inProject ? (behind ? 'behind' : 'updated') : 'elsewhere' },
    text: [
      `Merged ${branch} into ${into} as ${commit.slice(0, 12)}.`,
      ...advice(context, into, inProject, behind),
    ].join('\n'),
    artifacts: [],
  };
}

/** The tree of the merge. @throws CONFLICT naming the files that clash */
async function mergedTree(
  repository: Repository,
  context: ToolContext,
  exec: ToolExec,
  merge: Omit<Merge, 'tree'>,
  bundle: boolean,
): Promise<string> {
  const { branch, into, branchCommit, intoCommit } = merge;
  const exit = await inRoom(repository, context, exec, {
    script,
    env: { INTO: intoCommit, BRANCH: branchCommit },
    ...(bundle ? { bundle: { parents: [intoCommit, branchCommit] } } : {}),
  });
  if (exit.code === usageCode) {
    throw new AgovError('TOOL_MISSING', { what: 'The installed git is too old.', fix: 'Install git 2.38 or newer.' });
  }
  const [tree = '', ...files] = exit.stdout.trimEnd().split('\n');
  if (exit.code !== conflictCode) return demand(exit, `git could not merge ${branch} into ${into}.`) && tree;
  throw new AgovError('CONFLICT', {
    what: `${branch} does not merge into ${into} by itself.`,
    why: `Both have changed ${files.slice(0, shownConflicts).join(', ')}.`,
    fix: `Bring ${branch} up to ${into}, commit, and merge again.`,
  });
}

async function existing(repository: Repository, exec: ToolExec, branch: string): Promise<string> {
  const commit = await repository.commitOf(exec, branch);
  if (commit) return commit;
  throw new AgovError('NOT_FOUND', { what: `There is no branch ${branch}.`, fix: 'See "git branch".' });
}

function notReviewed(branch: string, at: string, now: string): AgovError {
  return new AgovError('CONFLICT', {
    what: `${branch} is not at ${at.slice(0, 12)} any more, but at ${now.slice(0, 12)}.`,
    why: 'What has come since was not reviewed.',
    fix: 'Review it again.',
  });
}

function moved(name: string): ToolResult {
  return failed(`${name} has moved since the merge was decided on; nothing was merged.`);
}

function advice(context: ToolContext, into: string, inProject: boolean, behind: string | undefined): readonly string[] {
  if (!inProject) return [];
  if (behind === undefined) return ['The working files of the project have followed.'];
  const fix = `See "git -C ${context.projectRoot} status"; "git -C ${context.projectRoot} reset --hard ${into}" takes the merge as it is.`;
  return [`The working files of the project have NOT followed: ${behind}`, fix];
}
