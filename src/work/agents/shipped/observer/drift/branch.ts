/** How far a branch has gone from the one that it follows, and what lies uncommitted. */
import { lines, word } from '../../frame/git.ts';

export interface BranchDrift {
  readonly branch: string | undefined;
  readonly commit: string | undefined;
  /** Undefined where it follows none. */
  readonly upstream: string | undefined;
  readonly ahead: number;
  readonly behind: number;
  /** Files that git knows and that differ from the last commit. */
  readonly changed: readonly string[];
  /** Files that git neither knows nor ignores. */
  readonly unknown: readonly string[];
  readonly fault?: string;
}

const mostListed = 200;

export async function branchDrift(wanted: string | undefined): Promise<BranchDrift> {
  const branch = await word(['symbolic-ref', '--quiet', '--short', 'HEAD']);
  const commit = await word(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
  const followed = branch && (await word(['rev-parse', '--abbrev-ref', '--verify', '--quiet', `${branch}@{upstream}`]));
  const upstream = wanted ?? (followed || undefined);
  const [behind, ahead, fault] = await distance(upstream, commit);
  // By content: owners and times differ in a sandbox.
  const compare = ['diff', '--name-only', '--no-ext-diff', '--no-textconv', '--ignore-submodules'];
  const changed = commit === undefined ? [] : await lines([...compare, 'HEAD', '--']);
  const unknown = await lines(['ls-files', '--others', '--exclude-standard']);
  return {
    ...{ branch, commit, upstream, ahead, behind },
    changed: changed.slice(0, mostListed),
    unknown: unknown.filter((file) => !/^\.(?:agov|worktrees)\//.test(file)).slice(0, mostListed),
    ...(fault === undefined ? {} : { fault }),
  };
}

async function distance(
  upstream: string | undefined,
  commit: string | undefined,
): Promise<readonly [number, number, string?]> {
  if (upstream === undefined || commit === undefined) return [0, 0];
  const counted = await word(['rev-list', '--left-right', '--count', `${upstream}...HEAD`, '--']);
  const [behind, ahead] = (counted ?? '').split('\t').map(Number);
  if (behind === undefined || ahead === undefined) return [0, 0, `There is no branch ${upstream} here.`];
  return [behind, ahead];
}
