/** What the last commits have added. */
import { stream } from '../../frame/git.ts';
import { type Hunk, hunks } from '../../frame/hunks.ts';

/** A merge counts with what it brings into its first parent: nobody else’s commit has what was changed while merging. */
const log = [
  ...['log', '--patch', '--unified=0', '--no-color', '--no-ext-diff', '--no-textconv', '--no-renames', '--no-prefix'],
  ...[
    '--diff-merges=first-parent',
    '--format=%x00%H',
    '--text',
    '--src-prefix=',
    '--dst-prefix=',
    '--ignore-submodules',
  ],
];

/** Calls `take` for each hunk of the last `count` commits. The number of commits that were there. */
export async function added(count: number, take: (hunk: Hunk) => void, signal: AbortSignal): Promise<number> {
  const reader = hunks(take);
  const code = await stream([...log, `--max-count=${count}`, 'HEAD'], reader.push, { signal });
  reader.end();
  // A repository without commits has no history, which is no fault.
  if (code !== 0 && reader.commits() > 0) throw new Error('git log broke off.');
  return reader.commits();
}
