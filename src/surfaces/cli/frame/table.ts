/** Tables that fit the terminal: the widest columns give way and wrap; a pipe gets every character on one line. */
import widthOf from 'fast-string-width';
import { wrapAnsi } from 'fast-wrap-ansi';

const gap = 2;
const narrowest = 8;

/** `width` is the terminal's; undefined for a pipe. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): string {
  const natural = head.map((title, i) => Math.max(...[title, ...rows.map((row) => row[i] ?? '')].map(widest)));
  const widths = width === undefined ? natural : shrink(natural, width - gap * head.length);
  return [head, ...rows].flatMap((row) => lines(row, widths)).join('\n');
}

/** A row of the table as lines of the terminal: each cell wrapped in its column, words cut only where they must be. */
function lines(row: readonly string[], widths: readonly number[]): string[] {
  const cells = widths.map((width, i) => wrapAnsi(row[i] ?? '', Math.max(1, width), { hard: true }).split('\n'));
  const height = Math.max(...cells.map((cell) => cell.length));
  return Array.from({ length: height }, (_, line) =>
    cells
      .map((cell, i) => padded(cell[line] ?? '', widths[i] ?? 0))
      .join(' '.repeat(gap))
      .trimEnd(),
  );
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
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

function widest(text: string): number {
  return Math.max(...text.split('\n').map((line) => widthOf(line)));
}
