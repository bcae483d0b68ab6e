/**
 * Tables that fit the terminal: the widest columns give way and wrap between words. Where that is not enough, each row
 * becomes a block of lines under its first cell. A pipe gets every character on one line.
 */
import widthOf from 'fast-string-width';
import { wrapAnsi } from 'fast-wrap-ansi';

const gap = 2;
/** A column is at least as wide as its longest word; longer ones than this are cut. */
const longestKept = 12;

/** `width` is the terminal's; undefined for a pipe. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): string {
  const columns = head.map((title, i) => [title, ...rows.map((row) => row[i] ?? '')]);
  const natural = columns.map((cells) => Math.max(...cells.map(widest)));
  if (width === undefined) return [head, ...rows].flatMap((row) => lines(row, natural)).join('\n');
  // The first one names the row and is left whole.
  const least = columns.map((cells, i) => (i === 0 ? (natural[0] ?? 0) : Math.max(...cells.map(widestWord))));
  const widths = shrink(natural, least, width - gap * (head.length - 1));
  if (widths === undefined) return rows.map((row) => block(head, row, width)).join('\n');
  return [head, ...rows].flatMap((row) => lines(row, widths)).join('\n');
}

/** A row that has no place beside others: its name, and each cell below it behind its title. */
function block(head: readonly string[], [name = '', ...cells]: readonly string[], width: number): string {
  const titles = head.slice(1);
  const indent = ' '.repeat(gap);
  const column = Math.max(0, ...titles.map((title) => widthOf(title)));
  const rest = Math.max(1, width - column - 2 * gap);
  const shown = titles.flatMap((title, i) => (cells[i] ? lines([title, cells[i]], [column, rest]) : []));
  return [...(name === '' ? [] : [name]), ...shown.map((line) => indent + line)].join('\n');
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

/** Takes from the widest column that can still give, one by one, until the row fits; undefined where it cannot. */
function shrink(natural: readonly number[], least: readonly number[], width: number): number[] | undefined {
  const widths = [...natural];
  for (let excess = sum(widths) - width; excess > 0; excess -= 1) {
    const giving = widths.map((w, i) => (w > (least[i] ?? 0) ? w : 0));
    const most = Math.max(...giving);
    if (most === 0) return undefined;
    widths[giving.indexOf(most)] = most - 1;
  }
  return widths;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function widestWord(text: string): number {
  return Math.min(longestKept, Math.max(...text.split(/\s+/).map((word) => widthOf(word))));
}

function widest(text: string): number {
  return Math.max(...text.split('\n').map((line) => widthOf(line)));
}
