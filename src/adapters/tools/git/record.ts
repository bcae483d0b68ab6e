/** The writes to the repository: a commit from a tree that is there, refs from where they are believed to be, an index. */
import { demand } from '../exec-result.ts';
import type { ToolExec } from '../port.ts';
import type { Repository } from './repository.ts';

/** Moves nothing. The commit's id. @throws TOOL_FAILED */
export async function writeCommit(
  repository: Repository,
  exec: ToolExec,
  content: { readonly tree: string; readonly parents: readonly string[]; readonly message: string },
): Promise<string> {
  const parents = content.parents.flatMap((parent) => ['-p', parent]);
  const written = await repository.change(exec, ['commit-tree', content.tree, ...parents, '-F', '-'], {
    input: content.message,
  });
  const id = demand(written, 'git could not write the commit.').stdout.trim();
  // A bundle is checked object by object; that none is missing is checked here.
  const known = content.parents.map((parent) => `^${parent}`);
  demand(await repository.look(exec, ['rev-list', '--objects', '--quiet', id, ...known]), 'The commit is incomplete.');
  return id;
}

/** One transaction of `git update-ref --stdin`. False, and nothing moved, when a ref is not where a line says. */
export async function moveRefs(repository: Repository, exec: ToolExec, lines: readonly string[]): Promise<boolean> {
  const input = `${lines.join('\n')}\n`;
  const exit = await repository.change(exec, ['update-ref', '-m', 'agov', '--stdin'], { input });
  if (/but expected|reference already exists|unable to resolve reference/.test(exit.stderr)) return false;
  demand(exit, 'git could not move the branch.');
  return true;
}

/** Brings an index from one commit to the next without looking at files. False when what is staged is in the way. */
export async function moveIndex(
  repository: Repository,
  exec: ToolExec,
  gitDir: string,
  [from, to]: readonly [string, string],
): Promise<boolean> {
  const exit = await repository.change(exec, [`--git-dir=${gitDir}`, 'read-tree', '-i', '-m', from, to]);
  return exit.code === 0;
}

/** Makes an index that of a commit; working files stay as they are. */
export async function resetIndex(repository: Repository, exec: ToolExec, gitDir: string, to: string): Promise<void> {
  const exit = await repository.change(exec, [`--git-dir=${gitDir}`, 'read-tree', to]);
  demand(exit, 'The branch is in place, but git could not bring the index up to it.', 'Run in it: git reset');
}
