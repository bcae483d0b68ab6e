/** What lies between two commits: files with their lines, and what of it is nobody's to change by a merge. */
import { secretFinder } from '../../../../governance/redaction/index.ts';
import { look, stream } from './git.ts';
import { hunks } from './hunks.ts';

export interface FileChange {
  readonly file: string;
  /** Both -1 for what is no text. */
  readonly added: number;
  readonly removed: number;
}

export interface Changes {
  readonly files: readonly FileChange[];
  readonly lines: number;
}

/** @throws where git cannot compare them */
export async function changesBetween(from: string, to: string): Promise<Changes> {
  const args = ['diff', '--numstat', '-z', '--no-renames', '--no-ext-diff', '--no-textconv', from, to, '--'];
  const { code, stdout } = await look(args);
  if (code !== 0) throw new Error(`git cannot compare ${from} with ${to}.`);
  const files = stdout.split('\0').flatMap((row): FileChange[] => {
    const [added = '', removed = '', ...name] = row.split('\t');
    if (name.length === 0) return [];
    const lines = (text: string): number => (text === '-' ? -1 : Number(text));
    return [{ file: name.join('\t'), added: lines(added), removed: lines(removed) }];
  });
  const lines = files.reduce((sum, { added, removed }) => sum + Math.max(0, added) + Math.max(0, removed), 0);
  return { files, lines };
}

/** Places of what looks like a secret in the lines that `to` has and `from` has not. */
export async function secretsAdded(from: string, to: string): Promise<readonly string[]> {
  const find = secretFinder();
  const places: string[] = [];
  const reader = hunks(({ file, text }) => {
    for (const { rule } of find(text)) places.push(`${file}: ${rule}`);
  });
  const args = ['--unified=0', '--no-renames', '--no-ext-diff', '--no-textconv', '--text', '--no-prefix', '--no-color'];
  const code = await stream(['diff', ...args, from, to, '--'], reader.push);
  reader.end();
  if (code !== 0) throw new Error(`git cannot compare ${from} with ${to}.`);
  return [...new Set(places)].slice(0, 50);
}

const governance =
  /^(?:agov\.yaml|tiers\.yaml|(?:policies|agents|pipelines|\.agov|\.claude|\.codex)\/.*|\.mcp\.json|\.gitmodules|(?:.*\/)?\.gitattributes)$/;

/** What decides who may do what, or which programs git starts: an operator merges that, by hand. */
export function ofGovernance({ files }: Changes): readonly string[] {
  return files.map(({ file }) => file).filter((file) => governance.test(file));
}
