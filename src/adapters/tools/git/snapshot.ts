/** The workspace's files as a git tree, taken without touching the repository, and what in them a commit must not hold. */
import { AgovError } from '../../../kernel/index.ts';
import { demand, whyItFailed } from '../exec-result.ts';
import type { ToolContext, ToolExec } from '../port.ts';
import type { Repository } from './repository.ts';
import { inRoom } from './room.ts';

export interface Snapshot {
  readonly tree: string;
  /** Changed since the parent, at most `shownFiles` of them. */
  readonly files: readonly string[];
  readonly fileCount: number;
}

export const shownFiles = 20;
const gitlinkMode = '160000';

/** Tree, changes since `$PARENT` as `--raw -z`, and the filter attribute of each changed path. */
const script = `
export GIT_WORK_TREE="$WORKSPACE"
if [ -n "$PARENT" ]; then base=$PARENT; git read-tree "$base"; else base=$(git mktree < /dev/null); fi
git add -A -- "$@"
tree=$(git write-tree)
printf '%s\\0' "$tree"
git diff-tree -r -z --raw --no-renames "$base" "$tree"
printf 'attributes\\0'
git diff-tree -r -z --name-only --no-renames "$base" "$tree" > "$GIT_DIR/changed"
git check-attr -z --stdin --cached filter < "$GIT_DIR/changed"
`;

export async function takeSnapshot(
  repository: Repository,
  context: ToolContext,
  exec: ToolExec,
  options: { readonly parent: string | undefined; readonly paths: readonly string[]; readonly bundle: boolean },
): Promise<Snapshot> {
  const { parent } = options;
  const exit = await inRoom(repository, context, exec, {
    script,
    args: options.paths.length > 0 ? options.paths : ['.'],
    env: { WORKSPACE: context.workspace, PARENT: parent ?? '' },
    ...(options.bundle ? { bundle: { parents: parent ? [parent] : [] } } : {}),
  });
  if (/did not match any files/.test(exit.stderr) && options.paths.length > 0) {
    throw new AgovError('NOT_FOUND', {
      what: 'A path to commit does not exist.',
      why: whyItFailed(exit),
      fix: 'Name files of the workspace, or leave "paths" out to commit every change.',
    });
  }
  return readSnapshot(demand(exit, 'git could not read the workspace.').stdout);
}

function readSnapshot(output: string): Snapshot {
  const [tree = '', ...tokens] = output.split('\0');
  const files: string[] = [];
  let at = 0;
  for (; tokens[at]?.startsWith(':'); at += 2) {
    const [, mode = ''] = (tokens[at] ?? '').split(' ');
    const file = tokens[at + 1] ?? '';
    if (mode === gitlinkMode) throw nestedRepository(file);
    files.push(file);
  }
  // After the mark: path, attribute, value; again and again.
  for (at += 1; at + 2 < tokens.length; at += 3) refuseFilter(tokens[at] ?? '', tokens[at + 2] ?? '');
  return { tree, files: files.slice(0, shownFiles), fileCount: files.length };
}

function nestedRepository(file: string): AgovError {
  return new AgovError('INPUT_INVALID', {
    what: `${file} is a git repository of its own.`,
    why: 'A commit would hold only its commit id, and git runs commands of its configuration.',
    fix: 'Move it out of the workspace, or commit the submodule yourself.',
  });
}

function refuseFilter(file: string, filter: string): void {
  if (filter === 'unspecified' || filter === 'unset') return;
  throw new AgovError('INPUT_INVALID', {
    what: `${file} goes through the git filter "${filter}".`,
    why: 'Agents commit without filters, which are programs, so its raw content would be stored.',
    fix: 'Commit this file yourself, or take its filter out of .gitattributes.',
  });
}
