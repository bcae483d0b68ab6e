/** The tree of statuses in so many columns and lines. What does not fit is folded, and said to be. */
import type { Count, Dashboard, DashboardRow } from '../../../../context/status/index.ts';
import { phases } from '../../../../schemas/index.ts';
import { type Cli, oneLine } from '../../frame/index.ts';
import { clipped, lineOf, padded } from '../../work/watch/line.ts';
import { phaseColor, symbols } from './phases.ts';

export interface TreeSize {
  readonly columns: number;
  /** Lines that there may be. */
  readonly rows: number;
  /** Levels that are shown; as many as fit where it is left out. */
  readonly depth?: number;
}

type Colors = Cli['colors'];

/** More than a person reads. */
const mostRows = 200;
const mostStuck = 10;
const roomy = 60;

export function treeOf(seen: Dashboard, size: TreeSize, colors: Colors): readonly string[] {
  const { rows, total, stuck, directories } = seen;
  if (rows.length === 0) {
    return [`No status yet in ${directories} directories.`, 'Begin: agov status update --phase in-progress --task "…"'];
  }
  const head = headOf(seen, size, colors);
  const tail = stuckLines(stuck, size, colors);
  const room = Math.max(1, Math.min(mostRows, size.rows - head.length - tail.length));
  const depth = size.depth ?? fitting(rows, room);
  const shown = rows.filter((row) => row.depth < depth);
  const below = new Map<string, number>();
  const names = new Map(rows.map((row) => [row.path, row]));
  for (const row of rows) {
    if (row.depth < depth) continue;
    let above: DashboardRow | undefined = row;
    while (above !== undefined && above.depth >= depth) above = names.get(above.above ?? '');
    if (above) below.set(above.path, (below.get(above.path) ?? 0) + 1);
  }
  const labels = shown.map((row) => `${'  '.repeat(row.depth)}${nameOf(row)}`);
  const widest = Math.min(
    Math.max(...labels.map((one) => one.length)),
    Math.max(10, size.columns - (size.columns >= roomy ? 44 : 16)),
  );
  const lines = shown
    .slice(0, room)
    .map((row, i) => rowLine(row, labels[i] ?? '', widest, below.get(row.path) ?? 0, size, colors));
  const left = shown.length - lines.length;
  const more = left > 0 ? [colors.dim(clipped(`… and ${left} more: name a directory, or --depth`, size.columns))] : [];
  const fold =
    below.size > 0 && left <= 0 && size.depth === undefined && total.all > 0
      ? [colors.dim(clipped('+n is folded: --depth shows more', size.columns))]
      : [];
  return [...head, ...lines, ...more, ...fold, ...tail];
}

function headOf({ total, phases: counts, rows }: Dashboard, { columns }: TreeSize, colors: Colors): readonly string[] {
  const count = ` ${percent(total)} ${total.done}/${total.all}`;
  const bar = lineOf(
    [{ text: barOf(total, Math.min(40, Math.max(4, columns - count.length))) }, { text: count }],
    columns,
  );
  const said = [...phases, 'unknown' as const].flatMap((phase) => {
    const of = counts[phase];
    return of === undefined ? [] : [{ text: `${symbols[phase]} ${of} ${phase}  `, color: phaseColor(phase, colors) }];
  });
  return [bar, lineOf([...said, { text: `of ${rows.length}`, color: colors.dim }], columns)];
}

function rowLine(
  row: DashboardRow,
  label: string,
  names: number,
  below: number,
  { columns }: TreeSize,
  colors: Colors,
): string {
  const color = phaseColor(row.phase, colors);
  const wide = columns >= roomy;
  return lineOf(
    [
      { text: `${symbols[row.phase]} `, color },
      { text: padded(clipped(label, names), names) },
      { text: ` ${wide ? `${barOf(row.total, 10)} ` : ''}${percent(row.total)}` },
      { text: ` ${row.total.done}/${row.total.all}` },
      { text: below > 0 ? ` +${below}` : '', color: colors.dim },
      { text: wide && row.owner !== undefined ? `  ${oneLine(row.owner)}` : '', color: colors.dim },
      { text: row.stuck === undefined ? '' : `  ${oneLine(row.stuck)}`, color: colors.yellow },
    ],
    columns,
  ).trimEnd();
}

function stuckLines(
  stuck: readonly DashboardRow[],
  { columns }: TreeSize,
  { yellow, bold }: Colors,
): readonly string[] {
  if (stuck.length === 0) return [];
  const lines = stuck
    .slice(0, mostStuck)
    .map(({ path, stuck: why = '' }) =>
      lineOf([{ text: `  ${oneLine(path)}` }, { text: `  ${oneLine(why)}`, color: yellow }], columns),
    );
  const more = stuck.length > mostStuck ? [`  … and ${stuck.length - mostStuck} more`] : [];
  return ['', bold(`Stuck: ${stuck.length}`), ...lines, ...more];
}

/** The most levels of which all rows fit; one at least. */
function fitting(rows: readonly DashboardRow[], room: number): number {
  const levels: number[] = [];
  for (const { depth } of rows) levels[depth] = (levels[depth] ?? 0) + 1;
  let sum = 0;
  for (const [depth, count] of levels.entries()) {
    sum += count;
    if (sum > room) return Math.max(1, depth);
  }
  return levels.length;
}

/** Below a row its parent's path is not told again. */
function nameOf({ path, above }: DashboardRow): string {
  return oneLine(above === undefined || above === '.' ? path : path.slice(above.length + 1));
}

function percent({ done, all }: Count): string {
  // What is not all done is not a hundred.
  return `${String(all === 0 ? 0 : Math.floor((100 * done) / all)).padStart(3)}%`;
}

function barOf({ done, all }: Count, width: number): string {
  const full = all === 0 ? 0 : Math.floor((width * done) / all);
  return '█'.repeat(full) + '░'.repeat(Math.max(0, width - full));
}
