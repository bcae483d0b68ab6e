/** A table: its header, its shape, what its columns hold, and the extremes of those that are numbers. */
import { within } from './code.ts';

const shownValues = 5;

/** At most `most` words. */
export function tableSummary(text: string, most: number): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const border = [',', '\t', ';', '|'].find((one) => (lines[0] ?? '').split(one).length > 1) ?? ',';
  const [head = [], ...rows] = lines.map((line) => cells(line, border));
  const out = [`${rows.length} rows × ${head.length} columns: ${head.join(', ')}`];
  for (const [i, name] of head.entries())
    out.push(
      columnOf(
        name,
        rows.map((row) => row[i] ?? ''),
      ),
    );
  const [first] = rows;
  if (first) out.push(`first: ${first.join(', ')}`);
  const last = rows.at(-1);
  if (last && rows.length > 1) out.push(`last: ${last.join(', ')}`);
  return within(out, most);
}

function columnOf(name: string, values: readonly string[]): string {
  const full = values.filter((value) => value !== '');
  const empty = values.length - full.length;
  const lacking = empty > 0 ? `, ${empty} empty` : '';
  const numbers = full.map((value) => Number(value.replaceAll(/[$€%_ ]/g, '')));
  if (full.length > 0 && numbers.every(Number.isFinite)) {
    const sum = numbers.reduce((total, value) => total + value, 0);
    const [least, greatest] = numbers.reduce(
      ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
      [Infinity, -Infinity],
    );
    return `${name}: ${least} to ${greatest}, mean ${Number((sum / numbers.length).toPrecision(4))}${lacking}`;
  }
  const counts = new Map<string, number>();
  for (const value of full) counts.set(value, (counts.get(value) ?? 0) + 1);
  if (counts.size === full.length && full.length > shownValues) return `${name}: ${counts.size} distinct${lacking}`;
  const common = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, shownValues);
  const more = counts.size > shownValues ? ` and ${counts.size - shownValues} more` : '';
  return `${name}: ${common.map(([value, count]) => `${value} (${count})`).join(', ')}${more}${lacking}`;
}

function cells(line: string, border: string): string[] {
  const found: string[] = [];
  let cell = '';
  let quoted = false;
  for (const letter of line) {
    if (letter === '"') quoted = !quoted;
    else if (letter === border && !quoted) {
      found.push(cell.trim());
      cell = '';
    } else cell += letter;
  }
  return [...found, cell.trim()];
}
