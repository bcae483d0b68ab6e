/** What a working folder holds that is in no commit, so that it can be told whether a test has changed it. */
import { lstatSync, readlinkSync } from 'node:fs';
import { digestOf } from '../frame/acts.ts';
import { readFile } from '../frame/files.ts';
import { look } from '../frame/git.ts';

export interface Change {
  readonly paths: readonly string[];
  readonly digest: string;
}

/** The files that differ from the last commit, or those that did, and what they hold. */
export async function changeIn(within: string, before?: readonly string[]): Promise<Change> {
  const names = async (args: readonly string[]): Promise<readonly string[]> => {
    const { code, stdout } = await look(args, { cwd: within });
    if (code !== 0) throw new Error(`git cannot tell what has changed in ${within}.`);
    return stdout.split('\0').filter((name) => name !== '');
  };
  const known = ['diff', '--name-only', '-z', '--no-renames', '--no-ext-diff', '--no-textconv', 'HEAD', '--'];
  const paths = before ?? [
    ...(await names(known)),
    ...(await names(['ls-files', '-z', '--others', '--exclude-standard'])),
  ];
  const sorted = [...paths].sort();
  return { paths: sorted, digest: digestOf(sorted.map((path) => stateOf(`${within}/${path}`))) };
}

const mostHashed = 256 * 1024 * 1024;

function stateOf(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return 'gone';
  if (stat.isSymbolicLink()) return `link ${readlinkSync(path)}`;
  const content = readFile(path, mostHashed);
  return `${stat.mode} ${content && 'bytes' in content ? digestOf(content.bytes.toString('base64')) : 'too large'}`;
}
