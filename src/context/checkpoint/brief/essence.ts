/** What a diff comes to in few lines: where it is, and the lines that changed. */
import { plain } from './words.ts';

const widest = 140;

/** At most so many changed lines, from all hunks in turn, each under the function that git names for it. */
export function essence(hunks: string, most: number): string {
  const blocks = hunks
    .split(/^(?=@@ )/m)
    .filter((block) => block.startsWith('@@ '))
    .map((block) => {
      const [head = '', ...lines] = block.split('\n');
      const [, line = '', context = ''] = /^@@ -\S+ \+(\d+)\S* @@ ?(.*)$/.exec(head) ?? [];
      return { where: `@ line ${line}${context === '' ? '' : ` ${context.trim()}`}`, lines: lines.filter(says) };
    });
  const share = Math.max(1, Math.floor(most / Math.max(1, blocks.length)));
  const shown: string[] = [];
  let left = most;
  for (const [i, { where, lines }] of blocks.entries()) {
    if (left <= 0) {
      shown.push(`… ${blocks.length - i} more places`);
      break;
    }
    const own = lines.slice(0, Math.min(left, Math.max(share, left - (blocks.length - i - 1) * share)));
    shown.push(cut(where), ...own.map(cut));
    if (own.length < lines.length) shown.push(`… ${lines.length - own.length} more lines`);
    left -= own.length;
  }
  return shown.join('\n');
}

function says(line: string): boolean {
  return /^[+-]\s*[^\s{}()[\];,]/.test(line);
}

function cut(line: string): string {
  return plain(line.length <= widest ? line : `${line.slice(0, widest)}…`);
}
