/**
 * `git.commit`: the workspace's changes as one commit on its branch. The intent names the parent and the resulting tree,
 * so that consent to it is consent to this content; if the files have changed when it is carried out, it is not.
 */
import { z } from 'zod';
import { AgovError } from '../../../kernel/index.ts';
import { defineTool } from '../define.ts';
import { failed } from '../exec-result.ts';
import { pathInWorkspace, pathSchema } from '../paths.ts';
import type { ToolContext, ToolExec, ToolResult } from '../port.ts';
import { branchFacts } from './branches.ts';
import { gitNeed } from './command.ts';
import { messageSchema, withTrailer } from './message.ts';
import { moveIndex, moveRefs, resetIndex, writeCommit } from './record.ts';
import { openRepository, type Repository, seatOf } from './repository.ts';
import { admit } from './room.ts';
import { type Snapshot, shownFiles, takeSnapshot } from './snapshot.ts';

const maxPathsBytes = 16_384;

interface Plan {
  readonly branch: string;
  readonly parent: string | undefined;
  readonly paths: readonly string[];
  readonly message: string;
  readonly snapshot: Snapshot;
}

export const gitCommit = defineTool({
  name: 'git.commit',
  summary: 'Commits the changes of the workspace to its branch.',
  needs: [gitNeed],
  args: z.strictObject({
    message: messageSchema.describe('The commit message.'),
    paths: z
      .array(pathSchema)
      .min(1)
      .max(1000)
      .refine((paths) => Buffer.byteLength(paths.join('')) <= maxPathsBytes, `must be at most ${maxPathsBytes} bytes`)
      .optional()
      .describe('Files and folders to commit, relative to the workspace. Every change when left out.'),
  }),
  async prepare({ message, paths: named }, context, exec) {
    const repository = await openRepository(context, exec);
    const { branch } = await seatOf(repository, context, exec);
    if (branch === undefined) throw detached(context);
    const paths = named?.map((path) => pathInWorkspace(context, path)) ?? [];
    const parent = await repository.commitOf(exec, branch);
    const snapshot = await takeSnapshot(repository, context, exec, { parent, paths, bundle: false });
    const plan: Plan = { branch, parent, paths, message, snapshot };
    return {
      intent: {
        action: 'repo.commit',
        resource: branch,
        args: { branch, parent, tree: snapshot.tree, files: snapshot.fileCount, message, ...(named ? { paths } : {}) },
      },
      facts: branchFacts(context, branch),
      perform: (run) => commit(repository, context, run, plan),
    };
  },
});

async function commit(
  repository: Repository,
  context: ToolContext,
  exec: ToolExec,
  { branch, parent, paths, message, snapshot }: Plan,
): Promise<ToolResult> {
  if (snapshot.fileCount === 0) return failed(`There is nothing to commit on ${branch}.`, { branch });
  const again = await takeSnapshot(repository, context, exec, { parent, paths, bundle: true });
  if (again.tree !== snapshot.tree) {
    return failed('The files have changed since the commit was decided on; nothing was committed.', { branch });
  }
  const seat = await seatOf(repository, context, exec);
  if (seat.branch !== branch) return failed(`The workspace is not on ${branch} any more; nothing was committed.`);

  await admit(repository, context, exec);
  const id = await writeCommit(repository, exec, {
    tree: snapshot.tree,
    parents: parent ? [parent] : [],
    message: withTrailer(message, context.agent),
  });
  const move = parent ? `update refs/heads/${branch} ${id} ${parent}` : `create refs/heads/${branch} ${id}`;
  if (!(await moveRefs(repository, exec, [move]))) {
    return failed(`${branch} has moved meanwhile; nothing was committed.`, { branch });
  }
  if (!(parent && (await moveIndex(repository, exec, seat.gitDir, [parent, id])))) {
    await resetIndex(repository, exec, seat.gitDir, id);
  }
  return {
    status: 'ok',
    facts: { branch, commit: id, tree: snapshot.tree, files: snapshot.fileCount },
    text: describe(id, branch, snapshot),
    artifacts: [],
  };
}

function describe(id: string, branch: string, { files, fileCount }: Snapshot): string {
  const rest = fileCount > shownFiles ? [`  and ${fileCount - shownFiles} more`] : [];
  return [`Committed ${id.slice(0, 12)} to ${branch}:`, ...files.map((file) => `  ${file}`), ...rest].join('\n');
}

function detached(context: ToolContext): AgovError {
  return new AgovError('INPUT_INVALID', {
    what: `${context.workspace} is on no branch.`,
    why: 'A commit there would belong to nothing.',
    fix: 'Make a worktree with a branch of your own: git.worktree.',
  });
}
