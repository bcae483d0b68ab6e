/** What a working tree holds that is in no commit, for a look before anything starts. */
import { demand } from '../exec-result.ts';
import type { ToolExec } from '../port.ts';
import { runGit } from './command.ts';

export interface TreeStatus {
  /** Changes to files that git knows. */
  readonly changed: number;
  /** Files and folders that it does not know, ignored ones apart. */
  readonly unknown: number;
  readonly first: readonly string[];
}

const shown = 5;

/** Undefined where there is no working tree. `gitFolder` is the project's own. @throws TOOL_MISSING, TOOL_FAILED */
export async function treeStatus(exec: ToolExec, gitFolder: string): Promise<TreeStatus | undefined> {
  const look = (...args: readonly string[]) =>
    runGit(exec, { argv: ['git', ...args], access: 'read', readOnly: [gitFolder] });
  if ((await look('rev-parse', '--is-inside-work-tree')).stdout.trim() !== 'true') return undefined;
  const status = ['status', '--porcelain=v1', '-z', '--no-renames', '--ignore-submodules', '--', '.'];
  const exit = demand(await look(...status), 'Git does not tell what has changed.');
  const rows = exit.stdout.split('\0').filter((row) => row !== '');
  const unknown = rows.filter((row) => row.startsWith('??')).length;
  return { changed: rows.length - unknown, unknown, first: rows.slice(0, shown).map((row) => row.slice(3)) };
}
