/** `git.worktree`: a branch of the agent's own, and a folder of its own to work on it. */
import { lstat, mkdir, realpath, rmdir } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { z } from 'zod';
import { AgovError, messageOf, systemCode } from '../../../kernel/index.ts';
import { defineTool } from '../define.ts';
import { demand, failed, whyItFailed } from '../exec-result.ts';
import { pathSchema } from '../paths.ts';
import type { ToolContext, ToolExec, ToolResult } from '../port.ts';
import { branchFacts, branchSchema, ownPrefix } from './branches.ts';
import { gitNeed } from './command.ts';
import { resetIndex } from './record.ts';
import { openRepository, type Repository } from './repository.ts';
import { inRoom } from './room.ts';

const folderName = '.worktrees';

/** Files without filters, and no hook: `checkout` in the repository itself would run what its attributes ask for. */
const checkout = `
export GIT_WORK_TREE="$WORKTREE"
git read-tree "$COMMIT"
git checkout-index -a -q
`;

export const gitWorktree = defineTool({
  name: 'git.worktree',
  summary: 'Makes a branch of the agent’s own and a working folder for it.',
  needs: [gitNeed],
  args: z.strictObject({
    branch: branchSchema.describe('Name of the work, as in fix-login; the branch is agov/<agent>/<name>.'),
    path: pathSchema.optional().describe('Folder to make in .worktrees of the project; <agent>-<name> when left out.'),
    from: branchSchema
      .optional()
      .describe('Branch to start from; the one that the project has checked out when left out.'),
  }),
  async prepare(args, context, exec) {
    const repository = await openRepository(context, exec);
    const branch = args.branch.startsWith('agov/') ? args.branch : `${ownPrefix(context.agent)}${args.branch}`;
    const path = folderFor(context, args.path ?? defaultFolder(context, branch));
    const from = await startingPoint(repository, exec, args.from);
    if (await repository.commitOf(exec, branch)) {
      throw taken(`The branch ${branch} exists already.`, 'Choose another name, or work in the worktree it has.');
    }
    const shown = relative(context.projectRoot, path);
    return {
      intent: { action: 'repo.commit', resource: branch, args: { branch, path: shown, from } },
      facts: branchFacts(context, branch),
      perform: (run) => makeWorktree(repository, context, run, { branch, path, from }),
    };
  },
});

async function makeWorktree(
  repository: Repository,
  context: ToolContext,
  exec: ToolExec,
  { branch, path, from }: { readonly branch: string; readonly path: string; readonly from: string },
): Promise<ToolResult> {
  await makeFolder(path);
  const args = ['worktree', 'add', '-q', '--no-checkout', '--no-track', '-b', branch, '--', path, from];
  const added = await repository.change(exec, args, { readWrite: [path] });
  if (added.code !== 0) {
    await rmdir(path).catch(() => undefined); // what git has left in it is for a person to look at
    return failed(`No worktree was made: ${whyItFailed(added)}`, { branch });
  }
  const filled = await inRoom(repository, context, exec, {
    script: checkout,
    env: { WORKTREE: path, COMMIT: from },
    readWrite: [path],
    keep: true,
  });
  demand(
    filled,
    'The worktree is made, but its files could not be written.',
    `Run: git worktree remove --force ${path}`,
  );
  const seat = await repository.seatAt(path);
  if (seat === undefined) return failed(`The worktree at ${path} has vanished while it was made.`, { branch });
  await resetIndex(repository, exec, seat, from);
  return {
    status: 'ok',
    facts: { branch, path: relative(context.projectRoot, path), commit: from },
    text: `Made ${path} on branch ${branch}, from ${from.slice(0, 12)}.`,
    artifacts: [],
  };
}

function defaultFolder(context: ToolContext, branch: string): string {
  const name = branch.startsWith(ownPrefix(context.agent)) ? branch.slice(ownPrefix(context.agent).length) : branch;
  return join(folderName, `${context.agent}-${name.replaceAll('/', '-')}`);
}

/** @throws INPUT_INVALID unless `path` is a folder right inside `.worktrees` */
function folderFor(context: ToolContext, path: string): string {
  const parent = join(context.projectRoot, folderName);
  const whole = isAbsolute(path)
    ? join(path, '.')
    : join(context.projectRoot, path.includes('/') ? path : join(folderName, path));
  if (dirname(whole) === parent && whole !== parent) return whole;
  throw new AgovError('INPUT_INVALID', {
    what: `${JSON.stringify(path)} cannot be a worktree.`,
    why: `Worktrees lie right inside ${parent}.`,
    fix: `Leave the path out, or name one such as ${folderName}/${context.agent}-work.`,
  });
}

/** Made out here, so that the sandbox shows this one folder and not the worktrees of others. */
async function makeFolder(path: string): Promise<void> {
  const parent = dirname(path);
  await make(parent);
  // An agent that works in the project itself may have put a link there.
  if (!(await lstat(parent)).isDirectory() || (await realpath(parent)) !== parent) {
    throw new AgovError('WORKSPACE_INVALID', {
      what: `${parent} is not a folder.`,
      fix: `See where it leads, and remove it: rm ${parent}`,
    });
  }
  if (!(await make(path))) throw taken(`${path} exists already.`, 'Choose another path.');
}

/** False when something is there. */
async function make(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw new AgovError('NOT_WRITABLE', {
      what: `${folder} cannot be made.`,
      why: messageOf(error),
      fix: `Give this user the right to write in ${dirname(folder)}.`,
      cause: error,
    });
  }
}

async function startingPoint(repository: Repository, exec: ToolExec, from: string | undefined): Promise<string> {
  if (from === undefined) {
    const head = await repository.look(exec, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
    if (head.code === 0) return head.stdout.trim();
    throw new AgovError('NOT_FOUND', { what: 'The project has no commit yet.', fix: 'Make a first commit.' });
  }
  const commit = await repository.commitOf(exec, from);
  if (commit) return commit;
  throw new AgovError('NOT_FOUND', { what: `There is no branch ${from}.`, fix: 'See "git branch".' });
}

function taken(what: string, fix: string): AgovError {
  return new AgovError('CONFLICT', { what, fix });
}
