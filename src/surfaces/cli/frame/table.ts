/** Tables that fit the terminal: the widest columns give way and wrap; a pipe gets every character on one line. */
import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';

const bare = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '' },
  ...{ 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '' },
};
const gap = 2;
const narrowest = 8;

/** `width` is the terminal's; undefined for a pipe. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): string {
  const natural = head.map((title, i) => Math.max(...[title, ...rows.map((row) => row[i] ?? '')].map(visible)) + gap);
  const widths = width === undefined ? natural : shrink(natural, width);
  const made = new Table({
    head: [...head],
    chars: bare,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': gap },
    colWidths: widths,
    wordWrap: true,
    wrapOnWordBoundary: true,
  });
  made.push(...rows.map((row) => row.map((cell, i) => breakable(cell, (widths[i] ?? gap) - gap))));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Words that are longer than their column go on in the next line: cut short, an id or an argument would be of no use. */
function breakable(cell: string, width: number): string {
  if (stripVTControlCharacters(cell) !== cell || width < 1) return cell;
  return cell
    .split(' ')
    .map((word) => (word.length > width ? (word.match(new RegExp(`.{1,${width}}`, 'gsu')) ?? []).join('\n') : word))
    .join(' ');
}

/** Takes from the widest column, one by one, until the row fits. The first one names the row and is left whole. */
function shrink(natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, w) => sum + w, 0) - width;
  while (excess > 0) {
    const widest = widths.indexOf(Math.max(...widths.slice(1)), 1);
    if ((widths[widest] ?? 0) <= narrowest) return widths;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
  return widths;
}

function visible(text: string): number {
  return Math.max(
    ...stripVTControlCharacters(text)
      .split('\n')
      .map((line) => line.length),
  );
}
